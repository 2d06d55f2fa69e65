"""Amounts of Kubernetes: `500m` and `0.5` are one. Reads them, never writes them."""

from __future__ import annotations

import re
from decimal import Decimal

from bot.model.plan import JSON

_QUANTITY = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))([eE][+-]?\d{1,3}|[numkKMGTPE]i?)?")
_SCALES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal(10**3), "M": Decimal(10**6), "G": Decimal(10**9), "T": Decimal(10**12),
    "P": Decimal(10**15), "E": Decimal(10**18),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
    "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}  # fmt: skip


def amount(value: JSON) -> Decimal | None:
    """The number that a quantity stands for; None when it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _QUANTITY.fullmatch(str(value))
    if found is None:
        return None
    number, suffix = Decimal(found[1]), found[2] or ""
    if suffix in _SCALES:
        return number * _SCALES[suffix]
    return number.scaleb(int(suffix[1:])) if suffix[:1] in "eE" and len(suffix) > 1 else None


def same_amount(one: JSON, other: JSON) -> bool:
    left = amount(one)
    return left is not None and left == amount(other)
