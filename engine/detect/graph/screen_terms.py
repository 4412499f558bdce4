"""What a route must be to count as an opportunity, and what routes cost."""

import math
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from engine.domain.errors import BadValueError
from engine.domain.units import BPS_PER_UNIT
from engine.kernels.screen_layout import COST, COST_ENTRIES
from engine.market.gas_book import GasBook

LEGS_MAX = 5
EDGE_MARGIN_BPS = 0.001
"""Screened above the minimum, so that rounding fees up does not sink what was screened at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a route must be to be an opportunity.

    Attributes:
        edge_bps_min: what each unit of its size must gain, net of all costs; its average edge is
            therefore above that.
        age_ns_max: books without a change for longer are left out.
        legs_max: most legs of a route, 2 to 5.
        flash_fee_bps: paid on the input of a route through pools of one chain, which is borrowed.
        gas: prices by chain, as they are now; pools on others are in no route.
    """

    edge_bps_min: Decimal
    age_ns_max: int
    legs_max: int = 4
    flash_fee_bps: Decimal = Decimal(0)
    gas: GasBook = field(default_factory=GasBook)

    def __post_init__(self) -> None:
        for what, bps in (("least edge", self.edge_bps_min), ("flash fee", self.flash_fee_bps)):
            if not 0 <= bps < BPS_PER_UNIT:
                raise BadValueError(
                    f"{what} is {bps} bps; it must be 0 or more and below {BPS_PER_UNIT}"
                )
        if self.age_ns_max <= 0:
            raise BadValueError(f"age limit is {self.age_ns_max} ns; it must be above 0")
        if self.legs_max not in range(2, LEGS_MAX + 1):
            raise BadValueError(f"routes of up to {self.legs_max} legs; it must be 2 to {LEGS_MAX}")

    @property
    def edge_ratio_min(self) -> float:
        """Least edge of a unit as a ratio, with the margin for rounding."""
        return (float(self.edge_bps_min) + EDGE_MARGIN_BPS) / BPS_PER_UNIT

    def cost_entries(self, transfer_bps: Decimal) -> NDArray[np.float64]:
        """Return the `costs` of `kernels.screen_layout`, without any chain's."""
        entries = np.zeros(COST_ENTRIES)
        entries[COST.AGE_NS_MAX] = self.age_ns_max
        entries[COST.EDGE_RATIO_MIN] = self.edge_ratio_min
        entries[COST.TRANSFER_RATIO] = float(transfer_bps) / BPS_PER_UNIT
        entries[COST.FLASH_RATIO] = float(self.flash_fee_bps) / BPS_PER_UNIT
        entries[COST.CHAIN_UNTIL_NS :] = math.inf
        return entries
