"""Where the world's pools stand, and what brings one to another price."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Final, NamedTuple

from engine.domain.pools import Protocol
from engine.sandbox.world.abi import call_data, decode
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.values import Made, WorldPool

Q96: Final = 2.0**96
_HALF_E18: Final = 5 * 10**17


class Swap(NamedTuple):
    """A swap that somebody wants to make."""

    pool: WorldPool
    token_in: str
    amount_raw: int


class Standing(NamedTuple):
    """A pool of two tokens as it stands, in floats: whoever trades there need not be exact.

    A pool with a product is one of a liquidity of its root, as a concentrated one is near its
    price.

    Attributes:
        root: of the price of token 0 in token 1, in raw units.
        liquidity: root of the product of what it holds.
    """

    pool: WorldPool
    root: float
    liquidity: float

    def to_price(self, price_raw: float) -> Swap | None:
        """Return the swap that brings it to a price, about."""
        wanted = sqrt(price_raw)
        if wanted < self.root:
            amount = self.liquidity * (1.0 / wanted - 1.0 / self.root)
            token_in = self.pool.tokens[0]
        else:
            amount = self.liquidity * (wanted - self.root)
            token_in = self.pool.tokens[1]
        return Swap(self.pool, token_in, int(amount)) if amount >= 1.0 else None


def standings(rpc: Rpc, made: Made, pools: Sequence[WorldPool]) -> list[Standing]:
    """Read where pools stand, all at once; those whose form is none of these are left out."""
    asked: list[tuple[str, Sequence[object]]] = []
    kept = [pool for pool in pools if pool.protocol in _READS and len(pool.tokens) == 2]  # noqa: PLR2004 - of a pair
    for pool in kept:
        asked += [
            ("eth_call", ({"to": to, "data": data}, "latest"))
            for to, data in _READS[pool.protocol](made.contracts, pool)
        ]
    answers = iter(rpc.ask_all(asked))
    found = []
    for pool in kept:
        count = len(_READS[pool.protocol](made.contracts, pool))
        standing = _standing(pool, [next(answers) for _ in range(count)])
        if standing is not None:
            found.append(standing)
    return found


Reads = list[tuple[str, str]]


def _pair_reads(_: Mapping[str, str], pool: WorldPool) -> Reads:
    return [(pool.address, call_data("getReserves()"))]


def _v3_reads(_: Mapping[str, str], pool: WorldPool) -> Reads:
    return [(pool.address, call_data("slot0()")), (pool.address, call_data("liquidity()"))]


def _v4_reads(contracts: Mapping[str, str], pool: WorldPool) -> Reads:
    pool_id = bytes.fromhex(pool.address[2:])
    view = contracts["v4_view"]
    return [
        (view, call_data("getSlot0(bytes32)", pool_id)),
        (view, call_data("getLiquidity(bytes32)", pool_id)),
    ]


def _balancer_reads(_: Mapping[str, str], pool: WorldPool) -> Reads:
    pool_id = bytes.fromhex(pool.balancer_id[2:])
    return [
        (pool.router, call_data("getPoolTokens(bytes32)", pool_id)),
        (pool.address, call_data("getNormalizedWeights()")),
    ]


_READS: Final = {
    Protocol.UNISWAP_V2: _pair_reads,
    Protocol.UNISWAP_V3: _v3_reads,
    Protocol.UNISWAP_V4: _v4_reads,
    Protocol.BALANCER_WEIGHTED: _balancer_reads,
}


def _standing(pool: WorldPool, answers: Sequence[str]) -> Standing | None:
    if pool.protocol is Protocol.UNISWAP_V2:
        r0, r1, _ = decode(("uint112", "uint112", "uint32"), answers[0])
        return _of_product(pool, r0, r1)
    if pool.protocol is Protocol.BALANCER_WEIGHTED:
        _, balances, _ = decode(("address[]", "uint256[]", "uint256"), answers[0])
        (weights,) = decode(("uint256[]",), answers[1])
        # With even weights it is a pair; others are left to chance.
        return _of_product(pool, *balances) if set(weights) == {_HALF_E18} else None
    (root_x96,) = decode(("uint160",), answers[0][:66])
    (liquidity,) = decode(("uint128",), answers[1])
    if not liquidity:
        return None
    return Standing(pool, root_x96 / Q96, float(liquidity))


def _of_product(pool: WorldPool, r0: int, r1: int) -> Standing | None:
    return Standing(pool, sqrt(r1 / r0), sqrt(r0) * sqrt(r1)) if r0 and r1 else None
