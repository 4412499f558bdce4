"""Mixed routes: order books, and one run of pools that one transaction goes through.

What a transaction holds is in the wallet of its chain, whatever protocols its pools are of; so a
route changes the place of its assets where it goes from a venue to a wallet, or back.
"""

from collections.abc import Sequence

from engine.domain.instruments import VenueId
from engine.domain.opportunities import Hop, HopKind


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
        return "it has pools on both sides of an order book, which would be two transactions"
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
