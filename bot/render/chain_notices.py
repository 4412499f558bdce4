"""Words for notices of chains and of the nodes that tell of them."""

from typing import Final

from bot.render import words
from bot.render.screen import Mark
from engine.bus.notices import ProviderCaught, Reorganised

CHAIN_NOTICES: Final = (*(Reorganised, ProviderCaught),)


def chain_content(notice: Reorganised | ProviderCaught) -> tuple[Mark, str, list[str]]:
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
    return (
        Mark.WARN,
        f"{notice.chain}: a provider is not believed",
        [
            f"{notice.provider}: {notice.why}",
            "Nothing it says is taken until it has been checked; the others go on.",
        ],
    )
