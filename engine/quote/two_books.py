"""Two books between which gaps open: what is so of every gap between them, worked out once."""

import math
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from engine.domain.instruments import Instrument
from engine.domain.opportunities import Side
from engine.domain.units import BPS_PER_UNIT
from engine.portfolio.costs import Costs


@dataclass(frozen=True, slots=True)
class CommonLot:
    """The least size that is whole in lots of two instruments, in steps of 10^-decimals."""

    steps: int
    decimals: int

    @classmethod
    def of(cls, first: Instrument, second: Instrument) -> "CommonLot":
        """Work it out."""
        decimals = max(first.size_decimals, second.size_decimals)
        lots = [int(one.lot_base.scaleb(decimals)) for one in (first, second)]
        return cls(math.lcm(*lots), decimals)

    def floor(self, size_base: Decimal) -> Decimal:
        """Round a size down to a whole number of it."""
        steps = int(size_base.scaleb(self.decimals).to_integral_value(ROUND_FLOOR))
        return Decimal(steps // self.steps * self.steps).scaleb(-self.decimals)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoBooks:
    """The instrument that is bought, the one that is sold, and their costs.

    Attributes:
        takes_base: whether the fee of the purchase is taken from what it receives.
        pays_ratio: what one unit of quote of the purchase comes to with its fee and the transfer.
        gets_ratio: what is left of one unit of quote of the sale.
    """

    buy: Instrument
    sell: Instrument
    lot: CommonLot
    takes_base: bool
    pays_ratio: Decimal
    gets_ratio: Decimal

    @classmethod
    def of(cls, buy: Instrument, sell: Instrument, costs: Costs) -> "TwoBooks":
        """Work it out.

        Raises:
            BadValueError: no fee is configured for a venue.
        """
        takes_base = costs.takes_base(buy.venue, Side.BUY)
        paid_bps = costs.transfer_bps + (0 if takes_base else costs.fee_bps(buy.venue))
        return cls(
            buy=buy,
            sell=sell,
            lot=CommonLot.of(buy, sell),
            takes_base=takes_base,
            pays_ratio=1 + paid_bps / BPS_PER_UNIT,
            gets_ratio=1 - costs.fee_bps(sell.venue) / BPS_PER_UNIT,
        )
