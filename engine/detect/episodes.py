"""Episodes: the life of one opportunity, from its first appearance until it vanishes."""

from dataclasses import dataclass

from engine.domain.opportunities import Opportunity


@dataclass(slots=True, kw_only=True)
class Episode:
    """An open opportunity with its newest figures; it changes while it lasts.

    Attributes:
        first: the opportunity as it was when it opened; its id names the episode.
        seen_at_ns, frame_seq: when the newest figures were seen, and in which input.
        size_base, gross_edge_bps, net_edge_bps, profit_quote: the newest figures.
        peak_profit_quote: highest screened profit so far.
        is_new: whether the newest figures are those of its opening.
    """

    first: Opportunity
    seen_at_ns: int
    frame_seq: int
    size_base: float
    gross_edge_bps: float
    net_edge_bps: float
    profit_quote: float
    peak_profit_quote: float
    is_new: bool = True

    @property
    def opportunity_id(self) -> str:
        """Id of the opportunity."""
        return self.first.opportunity_id

    def opportunity(self) -> Opportunity:
        """Return the opportunity with its newest figures, under the same id."""
        first = self.first
        if self.is_new:
            return first
        return Opportunity(
            opportunity_id=first.opportunity_id,
            seen_at_ns=self.seen_at_ns,
            frame_seq=self.frame_seq,
            buy=first.buy,
            sell=first.sell,
            buy_book=first.buy_book,
            sell_book=first.sell_book,
            size_base=self.size_base,
            gross_edge_bps=self.gross_edge_bps,
            net_edge_bps=self.net_edge_bps,
            profit_quote=self.profit_quote,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """The end of an episode: a book changed so that it vanished, or a book went stale."""

    opportunity_id: str
    closed_at_ns: int
    lasted_ns: int
    peak_profit_quote: float
    is_stale: bool
