"""Who stands behind an e-mail address that GitHub itself writes into commits. Text only."""

from __future__ import annotations

import re
from collections.abc import Iterable

_LOGIN = r"(?:\d+\+)?(?P<login>[a-z0-9][a-z0-9-]*(?:\[bot\])?)"


def accounts(mails: Iterable[str], host: str) -> tuple[str, ...]:
    """E-mail addresses, sorted; a private address that this GitHub gave is `github:LOGIN`.

    GitHub commits what is made on its pages: it is left out where somebody else is named.
    """
    private = re.compile(rf"{_LOGIN}@users\.noreply\.{re.escape(host)}")
    found = set()
    for mail in mails:
        match = private.fullmatch(mail.lower())
        found.add(f"github:{match['login']}" if match else mail)
    people = found - {f"noreply@{host}"}
    return tuple(sorted(people or found))
