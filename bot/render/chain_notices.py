"""Words for notices of what works beside the engine: chains, their nodes, background work."""

from typing import Final

from bot.render import words
from bot.render.screen import Mark
from engine.bus.notices import ProviderCaught, Reorganised, WorkTrouble

CHAIN_NOTICES: Final = (*(Reorganised, ProviderCaught, WorkTrouble),)


def chain_content(
    notice: Reorganised | ProviderCaught | WorkTrouble,
) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of a notice."""
    if isinstance(notice, Reorganised):
        return (
            Mark.WARN,
            f"{notice.chain}: {words.count(notice.blocks)} blocks undone",
            [
                f"From block {notice.number} on its nodes tell another branch.",
                "Pools are as that branch has them, or out until they are read.",
            ],
        )
    if isinstance(notice, WorkTrouble):
        title = f"Task {notice.task}" if notice.task else "Background work"
        return Mark.WARN, title, [f"{notice.what[:1].upper()}{notice.what[1:]}."]
    return (
        Mark.WARN,
        f"{notice.chain}: a provider is not believed",
        [
            f"{notice.provider}: {notice.why}",
            "Nothing it says is taken until it has been checked; the others go on.",
        ],
    )
