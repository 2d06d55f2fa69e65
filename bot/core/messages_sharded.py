"""What is wrong between an operator's routing object and its row: one sentence each."""

from __future__ import annotations


def no_manager(where: str) -> str:
    return f"nothing stands at {where}: nobody could tell which version is at work in a namespace"


def manager_without_version(manager: str, where: str, version: str) -> str:
    return (
        f"{where} is {manager} and does not name {version}: two versions of that name cannot be "
        "told apart, and no namespace would move"
    )


def no_list(where: str) -> str:
    return f"no list stands at {where}: there is nothing to name namespaces in"


def no_shard(kind: str, where: str, manager: str) -> str:
    return (
        f"no rendered {kind} of the operator has {manager} at {where}: nothing would run the "
        "version that namespaces are moved to"
    )


HINT = "mend the template, or the path in the row"
