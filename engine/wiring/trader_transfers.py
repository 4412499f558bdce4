"""What the role that places orders has of transfers, put together by the settings."""

import logging
from collections.abc import Callable, Mapping

from engine.bus.notices import TransferTold
from engine.bus.records import NoticeRecord
from engine.domain.destinations import Destination
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.transfers import TransferNews
from engine.operate.clock import Clock
from engine.settings.schema import Settings
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.transfer_answers import TransferAnswers, TransferRules
from engine.trading.transfer_desk import TransferDesk
from engine.trading.transfer_kept import KeptTransfer
from engine.trading.transfer_table import TransferTable
from engine.trading.transferring import Transfers
from engine.wiring.trader_venues import elapsed_ms
from engine.wiring.withdraw_terms import withdraw_terms

log = logging.getLogger(__name__)

Keep = Callable[[NoticeRecord], None]


def made_transfers(
    settings: Settings,
    book: OrderBook,
    answers: TraderAnswers,
    venues: Mapping[VenueId, AtVenue],
    *,
    basis: Basis,
    clock: Clock,
    killed: Callable[[str], str],
    keep: Keep,
) -> Transfers | None:
    """Put together what transfers; None where nothing may be withdrawn. Nothing of it runs yet.

    Args:
        settings: of the installation.
        book: in whose file transfers stand.
        answers: that answer for them.
        venues: between which they go.
        basis: of the money.
        clock: the wall clock.
        killed: says why an engine is killed.
        keep: has the ledger keep what is told.

    Raises:
        SettingsError: the settings contradict each other.
    """
    terms = withdraw_terms(settings)
    if not terms.venues:
        return None
    table = TransferTable(book)

    def named(source: str, to: Destination) -> str:
        return terms.named(source, to)

    def tell(kept: KeptTransfer, news: TransferNews) -> None:
        number = kept.news.index(news)
        keep(
            NoticeRecord(
                record_id=f"transfer-{kept.transfer_id}-{number}",
                notice=TransferTold(
                    at_ns=news.at_ns,
                    basis=basis,
                    transfer_id=kept.transfer_id,
                    matter=news.matter,
                    what=news.what,
                    number=number,
                ),
            )
        )

    made = Transfers(
        desk=TransferDesk(table=table, now_ms=elapsed_ms, wall_ns=clock),
        venues=venues,
        sources=terms.venues,
        named=named,
        # The sandbox's published keys trade nothing real.
        vouched=terms.venues if not terms.is_real else tuple(terms.vouched),
        killed=killed,
        tell=tell,
    )
    answers.transferring = TransferAnswers(
        made,
        TransferRules(
            allowed=terms.allowed, each=terms.each, test=terms.test, delay_ns=terms.delay_ns
        ),
        basis=basis,
    )
    for at in venues.values():
        at.check.swings, at.check.moving = table.swings, table.moving
    return made
