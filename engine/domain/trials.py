"""Routes of plans carried out once more on a fork of the chain, in other encodings too."""

import msgspec

from engine.domain.opportunities import Hop, HopKind


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One route in one encoding, on an EVM of ours; nothing of it was sent.

    Attributes:
        shape: kinds of its pools in order, such as ``uniswap_v3 > uniswap_v2``.
        lender: who lends in this encoding; `is_used` if it is that of the plan.
        block: on whose state: the one that the plan was simulated on.
        gas: units that it used there; `planned_gas` what the engine reckoned with.
        call_bytes: of the call.
        why: it does not do there what the exact answer says, in words; empty if it does.
        head_why: likewise at the newest block, where gaining nothing any more is no fault.
        is_at_head_alone: nodes know the state of `block` no more; `gas` is that at the newest one.
    """

    chain: str
    shape: str
    lender: str
    is_used: bool
    plan_id: str
    block: int
    gas: int
    planned_gas: int
    call_bytes: int
    why: str = ""
    head_why: str = ""
    is_at_head_alone: bool = False


def shape_of(venues: list[str]) -> str:
    """Return the shape of a route by the venues of its pools, which end in their chain."""
    return " > ".join(venue.partition("@")[0] for venue in venues)


def shape_of_hops(hops: tuple[Hop, ...]) -> str:
    """Return the shape of the part of a route that is on a chain."""
    return shape_of([str(hop.venue) for hop in hops if hop.kind is HopKind.POOL])
