"""The sentences of the store and its guard: why it cannot be used now, and how to mend it.

Facts in, words out. Never looks at a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from bot.core.messages_words import row


def newer(path: str) -> str:
    return (
        f"The store {path} was written by a newer version of Sluice; it was left untouched. "
        "Start that version or later, or a copy that was made before the upgrade."
    )


def older(path: str) -> str:
    return (
        f"The store {path} was written by an older version of Sluice. "
        "`sluice run` brings it up to date; until then it cannot be read."
    )


def absent(path: str) -> str:
    return f"There is no store at {path}. `sluice run` makes it; --db or SLUICE_DB names another."


def foreign(path: str) -> str:
    return (
        f"{path} is an SQLite file, but not a store of Sluice; it was left untouched. "
        "Name another file with --db or SLUICE_DB."
    )


def no_database(path: str) -> str:
    return (
        f"{path} is not an SQLite file, or its head is damaged; it was left untouched. "
        "Name another file with --db or SLUICE_DB, or put back a copy made with `sluice backup`."
    )


def damaged(path: str, detail: str) -> str:
    return (
        f"The store {path} is damaged ({detail}). Stop the bot, keep the file, and put back "
        "a copy made with `sluice backup`; it holds everything until compared with the clusters."
    )


def unreadable_row(path: str, table: str, key: str, detail: str) -> str:
    return f"The store {path} holds a {table} that cannot be read ({key}: {detail}). {PUT_BACK}"


def no_plan(release: str) -> str:
    return f"the plan of {release} is missing"


def other_plan(release: str) -> str:
    return f"the plan of {release} is not the one of its hash"


def other_addition(release: str) -> str:
    return f"what joined {release} is not what was recorded when it joined"


def no_units(release: str, units: Sequence[str]) -> str:
    return f"{release} has no row of {row(units, most=3)}"


LOST_ROW = "its row is missing from the store"
"""The failure of a unit whose row is not there."""


def damaged_rows(flaws: Sequence[str]) -> str:
    """The reason of the hold on a store whose rows do not fit together."""
    return f"the store was damaged: {row(flaws, most=3, joint='; ')}"


def damaged_object(unit: str, digest: str, *, missing: bool) -> str:
    how = "is missing" if missing else "is not what its digest says"
    return (
        f"The store is damaged: an object of {unit} {how} ({digest[:19]}). Nothing is written to"
        f" clusters. {PUT_BACK}"
    )


def unread_part(part: str, detail: str) -> str:
    return f"the {part} cannot be looked through: {detail}"


def damaged_page(detail: str) -> str:
    return f"a page of the file is damaged: {detail.splitlines()[0] if detail else ''}"


def damaged_row(table: str, key: str, detail: str) -> str:
    return f"the {table} {key} cannot be read: {detail}"


def misplaced_row(table: str, key: str) -> str:
    return f"the {table} {key} is not the row of its key"


def gone_table(table: str) -> str:
    return f"the table {table} is gone, with all its rows"


def changed_row(table: str, key: str) -> str:
    return f"the {table} {key} is not what was written last: somebody changed it by hand"


def added_row(table: str, key: str) -> str:
    return f"the {table} {key} was put in by hand"


def gone_row(table: str, key: str) -> str:
    return f"the {table} {key} is gone, and nothing took it away"


def wrong_standing(release: str) -> str:
    return f"{release} is listed as live and has ended, or as ended and has not"


def damaged_blob(digest: str) -> str:
    return f"the object {digest[:19]} is not what its digest says"


def missing_blobs(release: str, digests: Sequence[str]) -> str:
    return f"objects of {release} are missing: {row([one[:19] for one in digests], most=3)}"


def broken_record(seq: int, flaw: str, certificate: str) -> str:
    where = f"at line {seq}" if seq else "beside its lines"
    what = f" ({certificate})" if certificate else ""
    return f"the record does not hold {where}: {flaw}{what}"


def mend_store(kind: str) -> str:
    """What to do about a store that cannot be used, by the kind of its failure."""
    return {
        "newer": "start the version of Sluice that wrote it, or a later one",
        "locked": "stop the process that writes to it, or name another store with --db",
        "full": "make room on its disk",
    }.get(
        kind,
        "stop the bot, keep the file, put back a copy made with sluice backup; it holds everything"
        " until compared with the clusters",
    )


PUT_BACK = (
    "Stop the bot, keep the file, and put back a copy made with `sluice backup`; it holds"
    " everything until compared with the clusters. `sluice doctor` lists what is damaged."
)


def busy(path: str) -> str:
    return (
        f"Another process is writing to the store {path} and does not let go. Nothing was written."
    )


def full(path: str) -> str:
    return f"The disk of the store {path} is full; nothing was written. Make room on it."


def read_only(path: str) -> str:
    return (
        f"The store {path} cannot be written: the file, its folder or its disk is read-only. "
        "Nothing was written."
    )


def disk_error(path: str, detail: str) -> str:
    return (
        f"The disk of the store {path} fails ({detail}). Nothing was written. Look at the disk, "
        "its mount and its room."
    )


def cannot_open(path: str, detail: str) -> str:
    return (
        f"The store {path} cannot be opened ({detail}). Its folder must exist "
        "and be writable for the user that runs Sluice."
    )


def held(path: str, pid: int | None, host: str, since: datetime | None) -> str:
    who = f"process {pid} on {host}" if pid else "another process"
    when = f" since {since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if since else ""
    return f"A bot already runs on the store {path}: {who}{when}. Stop it, or name another store."


def cannot_guard(path: str, detail: str) -> str:
    return f"The lock file {path} cannot be used ({detail}): one bot a store cannot be promised."


def stale_row(table: str, key: str, expected: int, found: int | None) -> str:
    stands = "is gone" if found is None else f"is at version {found}"
    return f"The {table} {key} {stands}, not at version {expected}: it changed since it was read."


def stale_note(note: int) -> str:
    return f"Note {note} has its answer already, or was never left."


def backup_exists(path: str) -> str:
    return f"{path} exists already; a backup overwrites nothing."


def backup_failed(path: str, detail: str) -> str:
    return f"The copy {path} could not be written ({detail}). The store itself is unharmed."
