"""Limits: small objects in one list, each of which may refuse or shrink a draft of a plan.

A check returns None if the draft may pass, a `Finding` with the numbers if it may not, or the
greatest size that would pass. `limit_list` holds the list.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.opportunities import Opportunity, Reason
from engine.domain.units import BPS_PER_UNIT
from engine.quote.gap import Confirmed

LEGS = 2


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Why a draft may not become a plan."""

    reason: Reason
    detail: str


class ShrinkTo(msgspec.Struct, frozen=True, kw_only=True):
    """The draft may pass at this size at most; it has to be confirmed again.

    Attributes:
        reason: why it is refused if nothing fits.
    """

    size_base: Decimal
    reason: Reason
    detail: str


Verdict = Finding | ShrinkTo | None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """An opportunity on its way to a plan.

    Attributes:
        confirmed: None while the early limits are asked.
        exposure_usd: what one leg alone would leave us with.
    """

    opportunity: Opportunity
    confirmed: Confirmed | None = None
    exposure_usd: Decimal = Decimal(0)


class Limit(Protocol):
    """One limit.

    Attributes:
        is_early: asked before the exact confirmation, which is spared if it refuses.
        reasons: reasons of refusals that it causes.
    """

    name: str
    unit: str
    is_early: bool
    reasons: tuple[Reason, ...]

    @property
    def limit(self) -> str:
        """Its value, as text."""
        ...

    def used(self, at_ns: int) -> str:
        """What of it is used now, as text."""
        ...

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        """Judge a draft."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitValues:
    """Values of all limits.

    Attributes:
        loss_reserve_bps: part of its exposure that a plan is taken to be able to lose; counted
            against the daily loss from the decision on.
    """

    age_ms_max: int = 10_000
    unproven_s_max: int = 30
    edge_bps_min: Decimal = Decimal(10)
    position_usd_max: Decimal = Decimal(1_000)
    daily_loss_usd_max: Decimal = Decimal(500)
    orders_per_min_max: int = 60
    loss_reserve_bps: Decimal = Decimal(100)

    def __post_init__(self) -> None:
        if min(self.age_ms_max, self.unproven_s_max) <= 0 or self.orders_per_min_max < LEGS:
            raise BadValueError(
                f"age limit {self.age_ms_max} ms and proof limit {self.unproven_s_max} s must be "
                f"above 0, and order rate {self.orders_per_min_max} per minute at least {LEGS}"
            )
        if not 0 <= self.loss_reserve_bps <= BPS_PER_UNIT or not self.edge_bps_min >= 0:
            raise BadValueError(
                f"loss reserve {self.loss_reserve_bps} bps must be 0 to {BPS_PER_UNIT}, and "
                f"least edge {self.edge_bps_min} bps must not be negative"
            )
        for name in ("position_usd_max", "daily_loss_usd_max"):
            value = getattr(self, name)
            if not value.is_finite() or value <= 0:
                raise BadValueError(f"{name} is {value} USD; it must be above 0 and finite")
