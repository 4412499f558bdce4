"""What a person is shown of transfers between exchanges."""

from decimal import Decimal

import msgspec

from engine.bus.report import Report
from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.transfer_life import TransferOrder
from engine.domain.transfers import TransferNews


class TransferLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer.

    Attributes:
        state: in words.
        due_ns: from when on its test may be sent (wall clock).
        under_way: neither here nor there, of its asset.
        arrived: credited at its target; `cost` kept on the way, of what has ended.
        unknown_since_ns: since when what became of a send is not known; 0 if all is.
        waits: why it is not sent though it is its turn; empty if it is.
        is_open: more is to come of it.
        news: that were told, oldest first.
    """

    order: TransferOrder
    by: str
    state: str
    taken_on_ns: int
    due_ns: int
    under_way: Decimal
    arrived: Decimal
    cost: Decimal
    unknown_since_ns: int = 0
    waits: str = ""
    is_open: bool = True
    news: tuple[TransferNews, ...] = ()


class TransfersReport(Report, frozen=True, kw_only=True):
    """Transfers as whoever sends them has them.

    Attributes:
        sources: from which may be withdrawn; empty where nothing is.
        lines: those that have not ended first, then the newest.
        allowed: where to.
    """

    basis: Basis
    sources: tuple[VenueId, ...]
    lines: list[TransferLine]
    allowed: tuple[Destination, ...] = ()


class TransferTermsReport(Report, frozen=True, kw_only=True):
    """What a person may say yes to.

    Attributes:
        order: None where none can be; `why_not` says why.
        free: of the asset at the source, as read last; None if that is not known.
    """

    basis: Basis
    order: TransferOrder | None = None
    why_not: str = ""
    free: Decimal | None = None
    asset: AssetCode = AssetCode("")
