"""Reply about what transactions cost on the chains of a run."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.assets import AssetCode
from engine.domain.modes import Basis


class GasLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a transaction costs on a chain.

    Attributes:
        native: what it is paid in.
        gwei: of the block that comes next; None if nobody says, `now_gwei` of the newest one.
        native_usd: worth of one, None without a live book.
        data_usd: what the bytes of a route of two swaps cost, None where that has no worth.
        route_usd: gas and bytes of it, likewise; None too while the chain has no pools.
        age_ms: since the chain told so; None if it is assumed.
        too_old: why no transaction is planned by it; empty if it counts.
    """

    chain: str
    native: AssetCode
    gwei: Decimal | None
    now_gwei: Decimal | None
    native_usd: Decimal | None
    data_usd: Decimal | None
    route_usd: Decimal | None
    age_ms: int | None
    too_old: str


class GasReport(Report, frozen=True, kw_only=True):
    """All chains that have pools or a price."""

    basis: Basis
    market_note: str
    chains: list[GasLine]
