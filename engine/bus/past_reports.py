"""Reports of what happened, for research."""

from engine.bus.reports import Report
from engine.domain.past import Episode, Trade


class EpisodesReport(Report, frozen=True, kw_only=True):
    """Opportunities, oldest first; `left_out` older ones of the time that was asked for are not."""

    episodes: list[Episode]
    left_out: int


class PastTradesReport(Report, frozen=True, kw_only=True):
    """Trades, oldest first; `left_out` as there."""

    trades: list[Trade]
    left_out: int
