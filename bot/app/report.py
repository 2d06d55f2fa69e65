"""Where the full report of a bug is saved. Never shows it to the user, never names a secret."""

from __future__ import annotations

import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path


def save_report(raised: BaseException, args: Sequence[str] = ()) -> Path:
    """Write what happened into a file of the temporary folder; its path."""
    words = [re.sub(r"(?<=://)[^/@\s]*@", "…@", word) for word in args]
    text = "\n".join(
        (
            f"sluice {' '.join(words)}",
            f"Python {sys.version} on {platform.platform()}",
            "",
            *traceback.format_exception(raised),
        )
    )
    with tempfile.NamedTemporaryFile(
        "w", prefix="sluice-report-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    return Path(file.name)
