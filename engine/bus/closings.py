"""The report on what closing each leftover would cost now."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money
from engine.domain.plans import LeggedPlan


class ClosingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A leftover, and the one immediate order that would close it at its venue.

    Attributes:
        held: negative if owed.
        carry: what it was filled for, in `carry_asset`, with its sign.
        why_not: why no order closes it now; then there are no figures behind it.
        why_not_now: why an order that would may not leave now.
        side: buy or sell.
        size_base: of the order, by lots.
        filled_base: what the book has of it up to the limit.
        price: average of what fills; nothing if nothing does.
        fee: in `fee_asset`.
        realised: gain of what fills against what it was filled for, in `carry_asset`, after the
            fee; `realised_usd` its worth, nothing without a price.
        terms: what a person may say yes to: the part that the book has. None where none does.
    """

    venue: VenueId
    asset: AssetCode
    held: Decimal
    carry_asset: AssetCode
    carry: Decimal
    money: Money = Money.PAPER
    why_not: str = ""
    why_not_now: str = ""
    side: str = ""
    size_base: Decimal = Decimal(0)
    filled_base: Decimal = Decimal(0)
    price: Decimal | None = None
    price_limit: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    fee_asset: AssetCode = AssetCode("")
    realised: Decimal = Decimal(0)
    realised_usd: Decimal | None = None
    terms: LeggedPlan | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the book has all that the order wants."""
        return not self.why_not and self.filled_base == self.size_base


class ClosingsReport(Report, frozen=True, kw_only=True):
    """All that is left over, of paper and of live money.

    Attributes:
        band_bps: how far behind the best price an order that closes may go.
    """

    basis: Basis
    band_bps: Decimal
    closings: list[ClosingLine]
