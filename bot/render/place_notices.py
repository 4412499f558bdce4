"""Words for notices of places of real money: one ran low, is enough again, or could be filled."""

from typing import Final

from bot.render import words
from bot.render.screen import Mark
from bot.render.transfer import transfer_content
from engine.bus.notices import BalanceBack, BalanceLow, TransferProposed, TransferTold
from engine.domain.rebalancing import Transfer

PLACE_NOTICES: Final = (BalanceLow, BalanceBack, TransferProposed, TransferTold)

_STOPS_MAX: Final = 4
"""Most that are named of what a place does not cover; a dollar balance may stop a hundred."""


def place_content(
    notice: BalanceLow | BalanceBack | TransferProposed | TransferTold,
) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of a notice."""
    if isinstance(notice, TransferTold):
        return transfer_content(notice)
    if isinstance(notice, TransferProposed):
        return Mark.NONE, *_proposed(notice.transfer)
    free, place = notice.free, notice.venue.capitalize()
    has = f"{words.size(free.value)} {free.asset} free there"
    if isinstance(notice, BalanceBack):
        return Mark.GOOD, f"{place}: enough {free.asset} again", [f"{has}."]
    why = f"{has}, {words.size(notice.needed)} needed"
    why += " by your setting." if notice.is_below_floor and not notice.stops else "."
    lines = [why]
    if notice.stops:
        others = len(notice.stops) - _STOPS_MAX
        more = f" and {others} more" if others > 0 else ""
        shown = ", ".join(notice.stops[:_STOPS_MAX])
        lines.append(f"It stops routes that {shown}{more} there.")
    lines.append("Nothing is moved by itself: bring it there yourself.")
    return Mark.WARN, f"{place}: {free.asset} runs low", lines


def where_to(transfer: Transfer) -> str:
    """Say where a transfer may go, by what the operator wrote down, and by nothing else."""
    what = f"{transfer.asset} to {transfer.target}"
    if not transfer.to:
        return f"{what}: no address of yours is written down."
    ways = "; ".join(
        f"on {one.chain} {one.address}" + (f", tag {one.memo}" if one.memo else "")
        for one in transfer.to
    )
    return f"{what}: {ways}. A little of it first."


def _proposed(transfer: Transfer) -> tuple[str, list[str]]:
    size = f"{words.size(transfer.amount)} {transfer.asset}"
    gain, cost = words.usd(transfer.gain_usd, is_signed=True), words.usd(transfer.cost_usd)
    routes = f"{words.count(transfer.routes)} routes {gain} within a day, costs {cost}."
    return f"{size} would pay at {transfer.target}", [
        f"From {transfer.source}: {routes}",
        "Nothing moves it by itself.",
        where_to(transfer),
    ]
