"""What a pull request would do, as a message for the channel of the team that owns it."""

from __future__ import annotations

from bot.core.messages_plan import plan_text
from bot.core.plan_shown import PullPlan
from bot.model.message import Message, Tone

FINDINGS_SHOWN = 10


def pull_message(pull: str, title: str, shown: PullPlan) -> Message:
    """One message a pull request: its findings when it cannot merge, else its plan."""
    errors = [f for f in shown.findings if f.level == "error"]
    if errors:
        lines = [
            f"{f.path}:{f.line or 1}:{f.column or 1}: {f.message}"
            + (f" ({f.hint})" if f.hint else "")
            for f in errors[:FINDINGS_SHOWN]
        ]
        if len(errors) > FINDINGS_SHOWN:
            lines.append(f"and {len(errors) - FINDINGS_SHOWN} more")
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        return Message(
            text=f"Pull request {pull}: {count} to mend before it can merge.",
            tone=Tone.STOPPED,
            title=title,
            lines=tuple(lines),
        )
    if not shown.releases:
        return Message(text=f"Pull request {pull}: no release changes.", title=title)
    names = ", ".join(release.plan.release for release in shown.releases)
    return Message(
        text=f"Pull request {pull} proposes {names}.",
        tone=Tone.WAITING,
        title=title,
        page=plan_text(shown),
    )
