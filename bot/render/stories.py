"""The story of a trade in words: found, planned, realised, and what made the difference."""

from decimal import Decimal
from typing import Final

from bot.answer import Waterfall
from bot.render import words
from bot.render.screen import Text
from engine.domain.stories import Cause, Difference, TradeStory, Worth
from engine.domain.units import NS_PER_MS

_WORTH_A_WORD_USD: Final = Decimal("0.005")
"""Less than half a cent is shown nowhere."""

CAUSE_WORDS: Final = {
    Cause.BOOK_MOVED: "moved before decision",
    Cause.LOT_ROUNDING: "whole lots",
    Cause.DEPTH_TAKEN: "depth taken",
    Cause.SIZE_LIMIT: "size limit",
    Cause.UNREACHED: "no live book",
    Cause.LATENCY: "moved on the way",
    Cause.PRICE_LIMIT: "price limit",
    Cause.UNWINDING: "unwinding",
    Cause.LATE_FILL: "late fill",
    Cause.REVERTED: "reverted",
    Cause.NEVER_LANDED: "never landed",
    Cause.POOL_MOVED: "pool moved",
    Cause.GAS: "gas",
    Cause.FEE: "fees",
    Cause.TRANSFER: "transfer",
}


def story_blocks(story: TradeStory) -> list[Text]:
    """Return the figures in their order, each cause between those that it lies between."""
    found, planned, realised = (
        words.usd(one.usd, is_signed=True) for one in (story.found, story.sized, story.realised)
    )
    limit = f" ({story.limit})" if story.limit else ""
    return [
        Text(f"Found {found}{_causes(story.to_sized)}: planned {planned}{limit}"),
        Text(f"{_then(story)}realised {realised} paper{_latency(story)}"),
        Text(f"Gross {words.usd(story.gross.usd)}, {_costs(story)}"),
    ]


def make_waterfall(story: TradeStory, *, title: str, note: str) -> Waterfall:
    """Return the picture of a story: found, what each cause made, planned, and so to realised."""
    bars: list[tuple[str, str, float, float]] = []
    totals: list[int] = []

    def add_total(label: str, worth: Worth) -> None:
        totals.append(len(bars))
        amount = words.usd(worth.usd, is_signed=True)
        bars.append((label, amount, 0.0, float(worth.usd)))

    def add_causes(differences: tuple[Difference, ...], reached: Decimal) -> None:
        for one in differences:
            before, reached = reached, reached + one.worth.usd
            amount = words.usd(one.worth.usd, is_signed=True)
            bars.append((CAUSE_WORDS[one.cause], amount, float(before), float(reached)))

    add_total("found", story.found)
    add_causes(story.to_sized, story.found.usd)
    add_total("planned", story.sized)
    add_causes(story.to_realised, story.sized.usd)
    add_total("realised", story.realised)
    return Waterfall(
        name="why",
        title=title,
        bars=tuple(bars),
        totals=tuple(totals),
        result=f"{words.usd(story.realised.usd, is_signed=True)} realised",
        hint="from what was found to what was realised, each cause in USD",
        basis_note=note,
    )


def path(story: TradeStory) -> str:
    """Return what a trade was found at, and what took most of it."""
    cause = main_cause(story)
    found = f"found {words.usd(story.found.usd, is_signed=True)}"
    return found if cause is None else f"{found}, {cause}"


def _then(story: TradeStory) -> str:
    causes = _causes(story.to_realised).removeprefix(", ")
    return f"Then {causes}: " if causes else "As planned, "


def main_cause(story: TradeStory) -> str | None:
    """Return the greatest cause of having earned less than found, None if there is none."""
    losses = [
        one for one in (*story.to_sized, *story.to_realised) if one.worth.usd <= -_WORTH_A_WORD_USD
    ]
    if not losses or story.realised.usd >= story.found.usd:
        return None
    worst = min(losses, key=lambda one: one.worth.usd)
    return f"{CAUSE_WORDS[worst.cause]} {words.usd(worst.worth.usd, is_signed=True)}"


def _causes(differences: tuple[Difference, ...]) -> str:
    return "".join(
        f", {CAUSE_WORDS[one.cause]} {words.usd(one.worth.usd, is_signed=True)}"
        for one in differences
        if abs(one.worth.usd) >= _WORTH_A_WORD_USD
    )


def _costs(story: TradeStory) -> str:
    costs = f"fees {words.usd(story.fee.usd)}, transfer {words.usd(story.transfer.usd)}"
    return f"{costs}, gas {words.usd(story.gas.usd)}" if story.gas.usd else costs


def _latency(story: TradeStory) -> str:
    legs = [
        words.age(order.latency_ns // NS_PER_MS) for order in story.orders if order.purpose == "leg"
    ]
    return f", orders under way {words.listing(legs)}" if legs else ""
