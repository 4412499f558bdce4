"""A plan as it is handed to whoever signs and sends: with what a call has to name of its pools."""

from decimal import Decimal

import msgspec

from engine.domain.plans import MixedPlan, OnChain
from engine.domain.pools import Pool


class PoolTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a call names of a pool.

    Attributes:
        tick_spacing: of concentrated pools, else 0.
    """

    pool: Pool
    tick_spacing: int = 0


class Handed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A plan that was handed over.

    Attributes:
        client_order_id: of its transaction; it is carried out under it once.
        pools: of its steps, in their order.
        approved: the terms that a person approved, where the plan's permit is an approval.
        engine: whose plan it is.
        at_ns: when it was handed over.
        amount_in: what the transaction takes that follows on orders; None for all that is planned.
        until_ns: last instant at which what follows may leave (wall clock); 0 where the plan says.
    """

    client_order_id: str
    plan: OnChain
    pools: tuple[PoolTerms, ...]
    approved: OnChain | None = None
    engine: str
    at_ns: int
    amount_in: Decimal | None = None
    until_ns: int = 0

    @property
    def latest_ns(self) -> int:
        """The last instant at which it may leave (wall clock)."""
        return self.until_ns or self.plan.deadline_ns

    @property
    def sized(self) -> OnChain:
        """The plan with the amounts that are traded."""
        if self.amount_in is None or not isinstance(self.plan, MixedPlan):
            return self.plan
        return self.plan.with_input(self.amount_in)
