"""Gaps between the books and a local chain's pools: both trade the same assets, and whales come."""

import pytest

from engine.domain.pools import Protocol
from engine.domain.tokens import CURATED
from engine.sandbox.lineup import load_lineup, load_wire_names
from engine.sandbox.world.crowd import Crowd
from engine.sandbox.world.values import Made, WorldPool, WorldToken

IN_ETHER = ("base", "ethereum", "arbitrum", "optimism")


def assets(*, has_chains: bool) -> set[str]:
    listings, _ = load_lineup(has_chains=has_chains)
    pairs = [one.instrument.pair for one in listings]
    return {str(asset) for pair in pairs for asset in (pair.base, pair.quote)}


@pytest.mark.parametrize("chain", IN_ETHER)
def test_books_beside_a_chain_trade_two_assets_that_its_pools_hold(chain: str) -> None:
    """With one alone no route leads from a book to a pool and back."""
    held = {asset for asset, _ in CURATED[chain].values()}
    assert {"ETH", "USDC"} <= held & assets(has_chains=True)


def test_without_a_local_chain_the_books_are_as_they_were() -> None:
    assert "USDC" not in assets(has_chains=False)
    assert not [name for names in load_wire_names().values() for name in names if "USDC" in name]


def made() -> Made:
    """A chain of pools as the local ones are: of the coin, and of others."""

    def token(number: int, asset: str) -> WorldToken:
        return WorldToken(symbol=asset, address=f"0x{number:040x}", decimals=18, asset=asset)

    coin, wrapped, usdc, usdt, dai = map(token, range(5), ("ETH", "ETH", "USDC", "USDT", "DAI"))
    couples = [(wrapped, usdc), (wrapped, usdt), (coin, usdc), (usdc, usdt), (dai, usdc)]
    return Made(
        tokens=(wrapped, usdc, usdt, dai),
        coin=coin,
        dexes=(),
        pools=tuple(
            WorldPool(
                dex="one",
                protocol=Protocol.UNISWAP_V2,
                address=f"0xpool{number}",
                router="0x",
                tokens=(one.address, other.address),
                fee_pips=3_000,
            )
            for number, (one, other) in enumerate(couples)
        ),
        contracts={"wrapped": wrapped.address},
        accounts=(),
    )


def test_whales_trade_the_coin_more_than_once_a_minute_and_other_pools_too() -> None:
    world = made()
    crowd = Crowd(world, seed=7)
    minutes, block_s = 60, 2.0
    places = [crowd.whale_at(block_s) for _ in range(int(60 * minutes / block_s))]
    coins = {world.coin.address, world.contracts["wrapped"]}
    somewhere = [pools for pools in places if pools]
    of_coin = [pools for pools in somewhere if coins.intersection(pools[0].tokens)]
    assert len(of_coin) > minutes
    assert minutes / 10 < len(somewhere) - len(of_coin) < len(of_coin)
    everywhere = [pools for pools in of_coin if len(pools) > 1]
    assert 0.2 < len(everywhere) / len(of_coin) < 0.6
    all_of_coin = [one for one in world.pools if coins.intersection(one.tokens)]
    assert all(list(pools) == all_of_coin for pools in everywhere)
