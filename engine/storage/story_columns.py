"""The story of a trade as columns of a spreadsheet: one per cause, so that a column can be summed.

`found_usd` and all columns of causes add up to `profit_usd`, trade by trade and in sum.
"""

from decimal import Decimal
from typing import Final

from engine.domain.stories import Cause, Difference
from engine.storage.totals import decode_story

_TO_SIZED: Final = (
    Cause.BOOK_MOVED,
    Cause.GAS,
    Cause.LOT_ROUNDING,
    Cause.DEPTH_TAKEN,
    Cause.SIZE_LIMIT,
)
_TO_REALISED: Final = (
    Cause.UNREACHED,
    Cause.LATENCY,
    Cause.DEPTH_TAKEN,
    Cause.PRICE_LIMIT,
    Cause.UNWINDING,
    Cause.LATE_FILL,
    Cause.REVERTED,
    Cause.NEVER_LANDED,
    Cause.POOL_MOVED,
    Cause.GAS,
    Cause.FEE,
    Cause.TRANSFER,
)

STORY_HEADER: Final = (
    *(f"planning_{cause}_usd" for cause in _TO_SIZED),
    *(f"trading_{cause}_usd" for cause in _TO_REALISED),
    "gross_usd",
    "fees_usd",
    "transfer_usd",
    "gas_usd",
)


def story_cells(stored: str | None) -> tuple[Decimal | None, ...]:
    """Return a stored story by `STORY_HEADER`; nothing of one that an earlier version left out."""
    story = decode_story(stored)
    if story is None:
        return (None,) * len(STORY_HEADER)
    return (
        *_amounts(_TO_SIZED, story.to_sized),
        *_amounts(_TO_REALISED, story.to_realised),
        story.gross.usd,
        story.fee.usd,
        story.transfer.usd,
        story.gas.usd,
    )


def _amounts(causes: tuple[Cause, ...], found: tuple[Difference, ...]) -> list[Decimal]:
    made = {one.cause: one.worth.usd for one in found}
    return [made.get(cause, Decimal(0)) for cause in causes]
