"""Mixed routes: order books, and one run of pools that one transaction goes through.

What a transaction holds is in the wallet of its chain, whatever protocols its pools are of; so a
route changes the place of its assets where it goes from a venue to a wallet, or back.
"""

from collections.abc import Sequence
from typing import Final

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Hop, HopKind

OVER_A_BRIDGE: Final = "over a bridge"
ON_SEVERAL_CHAINS: Final = "on several chains"
IN_SEVERAL_TRANSACTIONS: Final = "in several transactions"


def why_not_traded(hops: Sequence[Hop]) -> str:
    """Say why no executor can carry a route out, nothing if one can.

    What can be are orders at books, one transaction through pools of one chain, or both.
    """
    pools = [hop for hop in hops if hop.kind is HopKind.POOL]
    is_of_books = all(hop.kind is HopKind.BOOK for hop in hops)
    is_of_pools = len(pools) == len(hops) and len({hop.chain for hop in pools}) == 1
    return "" if is_of_books or is_of_pools else why_not_mixed(hops)


def why_watched(hops: Sequence[Hop]) -> str:
    """Say in few words why a route is watched only: the same of all that it is so of.

    Nothing if it can be traded.
    """
    if not why_not_traded(hops):
        return ""
    if any(hop.kind is HopKind.BRIDGE for hop in hops):
        return OVER_A_BRIDGE
    chains = {hop.chain for hop in hops if hop.kind is HopKind.POOL}
    return ON_SEVERAL_CHAINS if len(chains) > 1 else IN_SEVERAL_TRANSACTIONS


def pool_run(hops: Sequence[Hop]) -> range | None:
    """Return which legs of a mixed route are its transaction, None if it is no such route."""
    return None if why_not_mixed(hops) else _pools(hops)


def why_not_mixed(hops: Sequence[Hop]) -> str:
    """Say why a route is not books and one transaction, nothing if it is."""
    if any(hop.kind is HopKind.BRIDGE for hop in hops):
        return "it goes over a bridge"
    pools = [hop for hop in hops if hop.kind is HopKind.POOL]
    chains = sorted({hop.chain for hop in pools})
    if len(chains) > 1:
        return f"its pools are on {len(chains)} chains ({', '.join(chains)})"
    if not pools:
        return "it has no pool"
    if len(pools) == len(hops):
        return "it has no order book"
    if len(_pools(hops)) != len(pools):
        return "its pools are parted by order books, which would be two transactions"
    return ""


def custody_changes(hops: Sequence[Hop]) -> int:
    """Return how often a route changes where its assets are, from its last leg to its first too."""
    places = [custody_of(hop) for hop in hops]
    return sum(a != b for a, b in zip(places, [*places[1:], places[0]], strict=True))


def custody_of(hop: Hop) -> VenueId:
    """Return where the assets of a leg are: at its venue, or in the wallet of its chain."""
    return VenueId(hop.chain) if hop.kind is HopKind.POOL else hop.venue


def _pools(hops: Sequence[Hop]) -> range:
    """Return the first run of pools."""
    kinds = [hop.kind for hop in hops]
    start = kinds.index(HopKind.POOL)
    end = start
    while end < len(kinds) and kinds[end] is HopKind.POOL:
        end += 1
    return range(start, end)
