"""Questions of background tasks about what happened."""

from typing import TYPE_CHECKING

from engine.bus.past_reports import EpisodesReport, PastTradesReport
from engine.bus.request import LedgerRequest

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class GetEpisodes(LedgerRequest[EpisodesReport], frozen=True, kw_only=True):
    """Opportunities seen since an instant, the newest `most` of them."""

    since_ns: int
    most: int

    async def answer(self, ledger: "Ledger", /) -> EpisodesReport:
        """See `Request.answer`."""
        return await ledger.episodes(self.since_ns, most=self.most)


class GetPastTrades(LedgerRequest[PastTradesReport], frozen=True, kw_only=True):
    """Plans whose execution ended since an instant, the newest `most` of them."""

    since_ns: int
    most: int

    async def answer(self, ledger: "Ledger", /) -> PastTradesReport:
        """See `Request.answer`."""
        return await ledger.past_trades(self.since_ns, most=self.most)
