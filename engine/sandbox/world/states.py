"""Where the world's pools stand, and what brings one to another price."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from engine.domain.pools import Protocol
from engine.pools.balancer_stable import InvariantForm, invariant
from engine.sandbox.world.abi import call_data, decode
from engine.sandbox.world.depths import Depth, ProductDepth, StableDepth
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.values import Made, WorldPool

Q96: Final = 2.0**96
_E18: Final = 10**18


class Swap(NamedTuple):
    """A swap that somebody wants to make.

    Attributes:
        token_out: the pool's first other one if it is empty.
    """

    pool: WorldPool
    token_in: str
    amount_raw: int
    token_out: str = ""


class Standing(NamedTuple):
    """A pool as it stands."""

    pool: WorldPool
    depth: Depth

    def price(self, token: str, in_token: str) -> float:
        """Return what a raw unit of a token costs there in raw units of another one."""
        worths, tokens = self.depth.worths(), self.pool.tokens
        return worths[tokens.index(token)] / worths[tokens.index(in_token)]

    def to_worths(self, usd_raw: Sequence[float]) -> Swap | None:
        """Return the swap that brings it to what its tokens are worth, about.

        Of more than two tokens those that are furthest apart are brought together.

        Args:
            usd_raw: of a raw unit of each token.
        """
        dear = [worth / usd for worth, usd in zip(self.depth.worths(), usd_raw, strict=True)]
        sold, bought = dear.index(max(dear)), dear.index(min(dear))
        if sold == bought:
            return None
        return self.moved(sold, bought, dear[bought] / dear[sold])

    def moved(
        self, token_in: int, token_out: int, ratio: float, *, share_max: float = 1.0
    ) -> Swap | None:
        """Return the swap that leaves so much of a token's price; None if that is nothing.

        Args:
            token_in: which token is sold, by its place in the pool.
            token_out: which one it is paid in.
            ratio: of the price after to the price before.
            share_max: no more is sold than so much of what is held of it.
        """
        if ratio >= 1.0:
            return None
        amount = min(
            self.depth.amount_raw(token_in, token_out, ratio),
            self.depth.held_raw[token_in] * share_max,
        )
        tokens = self.pool.tokens
        return (
            Swap(self.pool, tokens[token_in], int(amount), tokens[token_out])
            if amount >= 1.0
            else None
        )


def standings(rpc: Rpc, made: Made, pools: Sequence[WorldPool]) -> list[Standing]:
    """Read where pools stand, all at once; those without liquidity are left out."""
    asked: list[tuple[str, Sequence[object]]] = []
    counts = []
    for pool in pools:
        reads = _KINDS[pool.protocol].reads(made.contracts, pool)
        counts.append(len(reads))
        asked += [("eth_call", ({"to": to, "data": data}, "latest")) for to, data in reads]
    answers = iter(rpc.ask_all(asked))
    found = []
    for pool, count in zip(pools, counts, strict=True):
        said = [next(answers) for _ in range(count)]
        depth = _KINDS[pool.protocol].depth(made, pool, said)
        if depth is not None:
            found.append(Standing(pool, depth))
    return found


Reads = list[tuple[str, str]]


class _Kind(NamedTuple):
    reads: Callable[[Mapping[str, str], WorldPool], Reads]
    depth: Callable[[Made, WorldPool, Sequence[str]], Depth | None]


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


def _weighted_reads(_: Mapping[str, str], pool: WorldPool) -> Reads:
    return [_vault_read(pool), (pool.address, call_data("getNormalizedWeights()"))]


def _stable_reads(_: Mapping[str, str], pool: WorldPool) -> Reads:
    return [_vault_read(pool), (pool.address, call_data("getAmplificationParameter()"))]


def _vault_read(pool: WorldPool) -> tuple[str, str]:
    pool_id = bytes.fromhex(pool.balancer_id[2:])
    return pool.router, call_data("getPoolTokens(bytes32)", pool_id)


def _pair(_: Made, __: WorldPool, answers: Sequence[str]) -> Depth | None:
    r0, r1, _block_s = decode(("uint112", "uint112", "uint32"), answers[0])
    return ProductDepth((float(r0), float(r1)), (1.0, 1.0)) if r0 and r1 else None


def _concentrated(_: Made, __: WorldPool, answers: Sequence[str]) -> Depth | None:
    """Take a pool for the pair that it is like as long as its liquidity stays."""
    (root_x96,) = decode(("uint160",), answers[0][:66])
    (liquidity,) = decode(("uint128",), answers[1])
    root = root_x96 / Q96
    return ProductDepth((liquidity / root, liquidity * root), (1.0, 1.0)) if liquidity else None


def _weighted(_: Made, pool: WorldPool, answers: Sequence[str]) -> Depth:
    (weights,) = decode(("uint256[]",), answers[1])
    held = _held(pool, answers[0])
    return ProductDepth(tuple(map(float, held)), tuple(one / _E18 for one in weights))


def _stable(made: Made, pool: WorldPool, answers: Sequence[str]) -> Depth:
    amp, _changes, _precision = decode(("uint256", "bool", "uint256"), answers[1])
    decimals = {one.address: one.decimals for one in made.tokens}
    held = _held(pool, answers[0])
    units = [10 ** decimals[token] for token in pool.tokens]
    balances_e18 = [raw * _E18 // unit for raw, unit in zip(held, units, strict=True)]
    d_e18 = invariant(amp, balances_e18, form=InvariantForm.ROUND_DOWN)
    return StableDepth(
        held_raw=tuple(map(float, held)),
        units=tuple(map(float, units)),
        ann=amp * len(held) / 1_000,
        d=d_e18 / _E18,
    )


def _held(pool: WorldPool, answer: str) -> list[int]:
    """Return what the vault holds of each token, without the pool's own shares."""
    tokens, balances, _ = decode(("address[]", "uint256[]", "uint256"), answer)
    by_token = dict(zip(tokens, balances, strict=True))
    return [by_token[token] for token in pool.tokens]


_KINDS: Final[Mapping[Protocol, _Kind]] = {
    Protocol.UNISWAP_V2: _Kind(_pair_reads, _pair),
    Protocol.UNISWAP_V3: _Kind(_v3_reads, _concentrated),
    Protocol.UNISWAP_V4: _Kind(_v4_reads, _concentrated),
    Protocol.BALANCER_WEIGHTED: _Kind(_weighted_reads, _weighted),
    Protocol.BALANCER_STABLE: _Kind(_stable_reads, _stable),
}
