"""`make verify-pools`: pools of the local chains beside their nodes' own answers."""

from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from random import Random
from typing import Final

from engine.chains.families.family_list import families_of
from engine.chains.ports import BlockRef
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import Token, asset_of
from engine.sandbox.world.building import running_world
from engine.sandbox.world.hands import Hands, TransactionFailedError
from engine.sandbox.world.plan import CHAIN_PLANS
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.trader import Trader
from engine.sandbox.world.values import Made, World, WorldPool
from engine.tools.verify_pools import Found, Ground, table, verify

ALL: Final = "all"
SWAPS_AT_ONCE: Final = 20
SWAP_USD_MAX: Final = 200_000
GAS_UNITS: Final = 150_000


async def verify_worlds(chain: str, *, count: int, seed: int, say: Callable[[str], None]) -> bool:
    """Compare pools of a local chain, or of all six; say whether all are as their nodes have them.

    Raises:
        NoWorldError: there is no such chain, or no node to be had.
    """
    is_good = True
    for one in CHAIN_PLANS if chain == ALL else (chain,):
        found = await verify_world(one, count=count, seed=seed)
        say("\n".join(table(one, found)))
        is_good = is_good and found.is_good
    return is_good


async def verify_world(chain: str, *, count: int, seed: int) -> Found:
    """Compare pools of a local chain, after as many random swaps, with its node.

    Raises:
        NoWorldError: there is no such chain, or no node to be had.
    """
    random = Random(f"{chain} {seed}")  # noqa: S311 - which pools are compared is no secret
    async with AsyncExitStack() as stack:
        _, world = stack.enter_context(running_world(chain))
        rpc = stack.enter_context(Rpc(world.http_url))
        way = await stack.enter_async_context(open_outbound(None))
        node = await stack.enter_async_context(
            open_pool([Access(name="local", http_url=world.http_url)], way)
        )
        trader = Trader(Hands(rpc, world.made.accounts[1]), world.made)

        def head() -> BlockRef:
            return parse_block(rpc.ask("eth_getBlockByNumber", "latest", False))

        def live() -> None:
            for number in range(count):
                _swap(world, trader, random)
                if number % SWAPS_AT_ONCE == 0 or number == count - 1:
                    with suppress(TransactionFailedError):  # one was too much for its pool
                        trader.hands.flush()

        ground = ground_of(world, ChainReader(node))
        return await verify(ground, head=head, live=live, count=count, random=random)


def ground_of(world: World, reader: ChainReader) -> Ground:
    """Return a world's pools as they are compared."""
    families = families_of(world.made.dexes)
    seen = [(pool_of(world, one), one) for one in world.made.pools if one.protocol in families]
    return Ground(
        chain=world.chain,
        reader=reader,
        families=families,
        pools=[pool for pool, _ in seen],
        quoters={pool.address: _quoter(world.made, one) for pool, one in seen},
        names={pool.address: one.dex for pool, one in seen},
    )


def pool_of(world: World, one: WorldPool) -> Pool:
    """Return a pool of a world, its tokens named by their addresses."""
    symbols = {token.address: token for token in (*world.made.tokens, world.made.coin)}
    tokens = [symbols[address] for address in one.tokens]
    named = tuple(
        (
            asset_of(
                Token(chain=world.chain, address=token.address, decimals=token.decimals),
                symbol=token.symbol,
            ),
            token.decimals,
        )
        for token in tokens
    )
    return Pool(
        chain=world.chain,
        protocol=one.protocol,
        address=one.balancer_id or one.address,
        tokens=named,
        fee_ratio=Decimal(one.fee_pips) / 10**6,
        gas_units=GAS_UNITS,
        token_addresses=one.tokens,
    )


def _quoter(made: Made, one: WorldPool) -> str:
    match one.protocol:
        case Protocol.UNISWAP_V3:
            return made.contracts["v3_quoter"]
        case Protocol.UNISWAP_V4:
            return made.contracts["v4_quoter"]
    return one.router


def _swap(world: World, trader: Trader, random: Random) -> None:
    pool = random.choice(world.made.pools)
    token_in, token_out = random.sample(pool.tokens, 2)
    token = next(one for one in (*world.made.tokens, world.made.coin) if one.address == token_in)
    usd = Decimal(random.randrange(1, SWAP_USD_MAX))
    plan = CHAIN_PLANS[world.chain]
    assets = {one.symbol: one.asset for one in plan.tokens}
    price = plan.prices_usd[assets.get(token.symbol, token.symbol)]
    amount_raw = int(usd / price * 10**token.decimals)
    trader.swap(pool, token_in, amount_raw, token_out=token_out)
