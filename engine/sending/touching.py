"""Which pools of a route a log is of: by its contract, or by the pool's id in a shared contract."""

from typing import Final

import msgspec

from engine.chains.ports import Json
from engine.chains.rpc.parsing import parse_bytes, parse_hash, parse_quantity
from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import ChainRoute, V4Hop, VaultHop
from engine.sending.packed_hops import pool_of

PLACE_MAX: Final = 1 << 32


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Pools of a route.

    Attributes:
        alone: contracts that are a pool each.
        shared: contracts that hold many, with the ids of those that are ours.
    """

    alone: frozenset[str]
    shared: dict[str, frozenset[str]]

    @property
    def addresses(self) -> list[str]:
        """All contracts that may log something."""
        return sorted(self.alone | set(self.shared))


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A log of a pool: by which transaction, at which place in its block."""

    hash: str
    place: int
    pool: str


def watched_of(route: ChainRoute) -> Watched:
    """Return the pools of a route."""
    shared: dict[str, set[str]] = {}
    alone = set()
    for hop in route.hops:
        if isinstance(hop, V4Hop | VaultHop):
            shared.setdefault(hop.pool, set()).add(pool_of(hop))
        else:
            alone.add(hop.pool)
    return Watched(
        alone=frozenset(alone), shared={one: frozenset(ids) for one, ids in shared.items()}
    )


def parse_touched(said: Json, watched: Watched) -> list[Touched]:
    """Read logs; return those of pools that are watched.

    Raises:
        BadValueError: they cannot be.
    """
    if not isinstance(said, list):
        raise BadValueError("logs are no list")
    found = []
    for log in said:
        if not isinstance(log, dict):
            raise BadValueError("a log is no object")
        address = str(log.get("address")).lower()
        pool = address if address in watched.alone else ""
        topics = log.get("topics")
        if ids := watched.shared.get(address):
            first = topics[1] if isinstance(topics, list) and len(topics) > 1 else "0x"
            topic = "0x" + parse_bytes(first, "a topic").hex()
            pool = topic if topic in ids else pool
        if pool:
            found.append(
                Touched(
                    hash=parse_hash(log.get("transactionHash"), "a transaction's hash"),
                    place=parse_quantity(log.get("transactionIndex"), "a place", most=PLACE_MAX),
                    pool=pool,
                )
            )
    return found
