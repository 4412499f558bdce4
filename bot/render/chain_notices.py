"""Words for notices of what works beside the engine: chains, their nodes, background work."""

from typing import Final

from bot.render import words
from bot.render.screen import Mark
from engine.bus.notices import (
    ChainFileLost,
    HookTrouble,
    ProviderCaught,
    Reorganised,
    SendingTrouble,
    VenueTrouble,
    WorkTrouble,
)
from engine.domain.orders_told import VenueMatter
from engine.domain.told import Matter

CHAIN_NOTICES: Final = (
    *(Reorganised, ProviderCaught, WorkTrouble, ChainFileLost, HookTrouble),
    *(SendingTrouble, VenueTrouble),
)

_ANEW: Final = {
    "pools": ("pools", "All are looked for anew: that takes requests and some minutes."),
    "states": ("states of pools", "Each pool is read whole before it is in any route."),
    "verdicts": ("verdicts on tokens", "All are probed anew, and in no route before that."),
    "blocks": ("blocks", "Background work learns from those that come now."),
}
"""What each file holds, in words, and what follows from doing without it."""

_MATTERS: Final = {
    Matter.GAS: "out of gas money",
    Matter.REORGANISED: "a transaction was undone",
    Matter.FOREIGN: "a nonce was used by others",
    Matter.STUCK: "a transaction is stuck",
    Matter.REVERTED: "a route reverts",
    Matter.BALANCE: "the wallet differs from our books",
    Matter.ANEW: "the chain was begun anew",
    Matter.OTHER: "transactions",
}
"""What each is called in a title."""

_TRADING: Final = {
    VenueMatter.UNKNOWN: "an order is unknown",
    VenueMatter.DIFFERENCE: "it differs from our orders",
    VenueMatter.HALTED: "no order goes there",
    VenueMatter.BALANCE: "the account differs",
    VenueMatter.ORDER: "an order is not as it should be",
    VenueMatter.KEY: "its key",
    VenueMatter.STOPPED: "it takes nothing more",
    VenueMatter.BACK: "orders go there again",
}


def chain_content(
    notice: Reorganised
    | ProviderCaught
    | WorkTrouble
    | ChainFileLost
    | HookTrouble
    | SendingTrouble
    | VenueTrouble,
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
    if isinstance(notice, SendingTrouble):
        what = f"{notice.what[:1].upper()}{notice.what[1:]}."
        return Mark.WARN, f"{notice.chain}: {_MATTERS[notice.matter]}", [what]
    if isinstance(notice, VenueTrouble):
        what = f"{notice.what[:1].upper()}{notice.what[1:]}."
        title = f"{notice.venue.capitalize()}: {_TRADING[notice.matter]}"
        mark = Mark.GOOD if notice.matter is VenueMatter.BACK else Mark.WARN
        return mark, title, [what]
    if isinstance(notice, ChainFileLost):
        what, anew = _ANEW.get(notice.what, (words.phrase(notice.what), "It is asked anew."))
        return (
            Mark.WARN,
            f"{notice.chain}: its {what} could not be read",
            [notice.why, "The file was set aside if it could be, and is not used.", anew],
        )
    return _doubted(notice)


def _doubted(notice: ProviderCaught | HookTrouble) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, HookTrouble):
        title = f"{notice.chain}: a webhook is doubted" if notice.chain else "Webhooks are not kept"
        why = f"{notice.why[:1].upper()}{notice.why[1:]}."
        if not notice.chain:
            why += " They are refused, and come again."
        return Mark.WARN, title, [why, "Pools are as nodes say; /chains has the figures."]
    return (
        Mark.WARN,
        f"{notice.chain}: a provider is not believed",
        [
            f"{notice.provider}: {notice.why}",
            "Nothing it says is taken until it has been checked; the others go on.",
        ],
    )
