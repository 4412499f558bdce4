"""A plan as it is handed to whoever signs and sends: with what a call has to name of its pools."""

import msgspec

from engine.domain.plans import AtomicPlan
from engine.domain.pools import Pool


class PoolTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a call names of a pool.

    Attributes:
        tick_spacing: of concentrated pools, else 0.
    """

    pool: Pool
    tick_spacing: int = 0


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A plan that was handed over.

    Attributes:
        client_order_id: of its transaction; it is carried out under it once.
        pools: of its steps, in their order.
        approved: the terms that a person approved, where the plan's permit is an approval.
        engine: whose plan it is.
        at_ns: when it was handed over.
    """

    client_order_id: str
    plan: AtomicPlan
    pools: tuple[PoolTerms, ...]
    approved: AtomicPlan | None = None
    engine: str
    at_ns: int
