"""Episodes: the life of one opportunity, from its first appearance until it vanishes."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.domain.figures import four_digits
from engine.domain.opportunities import Opportunity


@dataclass(slots=True, kw_only=True)
class Episode:
    """An open opportunity with its newest figures; it changes while it lasts.

    Attributes:
        slot: its place among the open ones.
        books: rows of the board that its route goes through.
        pools: numbers of the pools that it goes through.
        first: the opportunity as it was when it opened; its id names the episode.
        row: the newest figures, see SCREENED of `kernels.screen_layout`.
        seen_at_ns, frame_seq: when they were seen, and in which input.
        is_new: whether the newest figures are those of its opening.
        profit_quote, peak_profit_quote: newest screened profit, and the highest so far.
    """

    slot: int
    books: tuple[int, ...]
    pools: tuple[int, ...]
    first: Opportunity
    row: Sequence[float]
    seen_at_ns: int
    frame_seq: int
    profit_quote: float
    peak_profit_quote: float
    is_new: bool = True

    @property
    def opportunity_id(self) -> str:
        """Id of the opportunity."""
        return self.first.opportunity_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The end of an episode: a place changed so that it vanished, or went; or one is stale.

    Attributes:
        is_stale: a book or pool of its route is lost or too old.
        gave_way_to, better_usd: the route is as good as before, and a better one took its place:
            its id and what it gains.
    """

    opportunity_id: str
    closed_at_ns: int
    lasted_ns: int
    peak_profit_quote: float
    is_stale: bool
    gave_way_to: str = ""
    better_usd: float = 0.0

    @property
    def reason(self) -> str:
        """Return why it ended, in words; nothing if its market gives nothing any more."""
        if self.gave_way_to:
            gain = (
                f"{self.better_usd:,.2f}" if self.better_usd >= 1 else four_digits(self.better_usd)
            )
            return f"gave way to {self.gave_way_to}, which gains {gain} USD"
        return "a book or pool of it was lost or grew too old" if self.is_stale else ""
