"""A token that calls itself as another one does joins nothing of that one's."""

from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from engine.detect.moving.moving_pools import MovingPools
from engine.domain.errors import BadValueError
from engine.domain.opportunities import HopKind
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import Token, asset_of
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from tests.reference.world import START_NS, Setup, World, make_instrument

WETH = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
FAKE = "0x1234567890123456789012345678901234567890"


def pool_with(usdc: str, usd_per_eth: int, *, number: int = 0) -> PoolSnapshot:
    """A pool of ETH and what calls itself USDC, as a source of pools would make it."""
    tokens = [(WETH, 18, "WETH"), (usdc, 6, "USDC")]
    pool = Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=f"0x{number:040x}",
        tokens=tuple(
            (
                asset_of(Token(chain="ethereum", address=at, decimals=digits), symbol=symbol),
                digits,
            )
            for at, digits, symbol in tokens
        ),
        fee_ratio=Decimal("0.003"),
        gas_units=90_000,
        token_addresses=tuple(at for at, _, _ in tokens),
    )
    row = PairRow(reserve0_raw=f"{10**21}", reserve1_raw=f"{1_000 * usd_per_eth * 10**6}")
    return PoolSnapshot(pool=pool, row=row)


def kinds_found(*pools: PoolSnapshot) -> set[tuple[HopKind, ...]]:
    world = World(
        Setup(
            instruments=[make_instrument("a", "ETH-USDC"), make_instrument("a", "ETH-USD")],
            pools=pools,
        )
    )
    for book in (1, 0):
        world.show(book, [("1999", "5")], [("2001", "5")])
    world.wait(1_100)
    world.tick()
    world.show(0, [("1998", "5")], [("2000", "5")])
    return {tuple(hop.kind for hop in one.hops) for one in world.journal.found}


def test_a_pool_of_a_fake_dollar_is_in_no_route_with_the_true_ones_book() -> None:
    assert kinds_found(pool_with(USDC, 2_100)) != set()
    assert kinds_found(pool_with(FAKE, 2_100)) == set()


def test_a_pool_of_a_fake_dollar_is_in_no_route_with_the_true_ones_pool() -> None:
    both = pool_with(USDC, 2_000), pool_with(FAKE, 2_100, number=1)

    assert kinds_found(*both) == set()


@pytest.mark.parametrize("token", [FAKE, FAKE.replace("0x1", "0xa")])
def test_pools_of_one_token_outside_the_table_join_each_other(token: str) -> None:
    both = pool_with(token, 2_000), pool_with(token, 2_100, number=1)

    assert (HopKind.POOL, HopKind.POOL) in kinds_found(*both)


def test_a_live_market_takes_no_pool_whose_tokens_are_named_by_symbols_alone() -> None:
    named, other = pool_with(USDC, 2_000), pool_with(USDC, 2_000, number=1)
    symbols = structs.replace(other, pool=replace(other.pool, token_addresses=()))
    for is_live, taken in ((False, [0, 1]), (True, [0, None])):
        world = World(Setup(instruments=[make_instrument("a", "ETH-USDC")]))
        moving = MovingPools(world.graph, {}, started_at_ns=START_NS, is_live=is_live)

        assert [moving.add(named), moving.add(symbols)] == taken
        assert sum(moving.faults.values()) == is_live

    with pytest.raises(BadValueError, match="named by symbols alone"):
        MovingPools(World(Setup(pools=[symbols])).graph, {}, started_at_ns=START_NS, is_live=True)
