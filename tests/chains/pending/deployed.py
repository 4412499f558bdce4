"""Routers and pools of Uniswap's on a local world, and their pools' exact states at its node.

Besides what the world has SwapRouter02 is deployed.
"""

from decimal import Decimal
from typing import Any, Final

from engine.chains.families.family_list import families_of
from engine.chains.pending.router_list import Kind, RouterAt, named_routers, routers_of
from engine.chains.ports import PoolNow
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.domain.pools import Pool, Protocol
from engine.domain.tokens import Token, asset_of
from engine.pools.snapshot_rows import PoolState
from engine.sandbox.world.abi import UINT_MAX, ZERO
from engine.sandbox.world.artifacts import bytecode
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.values import WorldPool
from tests.chains.local_world import LocalWorld

FOR_EVER: Final = 2**47
ACCOUNTS: Final = (1, 2, 3, 4)
_DEXES: Final = ("Uniswap V2", "PancakeSwap V1", "Fork V2", "Uniswap V3", "Uniswap V4")
_ROUTER_02: Final = (
    "@uniswap/swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
)
_MUCH_RAW: Final = 10**26
"""Of each token, for each account: nobody shall fail for want of it."""


class Found:
    """Pools as they were read."""

    def __init__(self, found: dict[str, tuple[Pool, PoolState]]) -> None:
        self.found = found

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        return self.found.get(address)

    def states(self) -> dict[str, PoolState]:
        return {address: state for address, (_, state) in self.found.items()}


class Deployed:
    """A world with all routers.

    Attributes:
        keys: of V4's pools, by id.
    """

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        contracts = world.made.contracts
        self.weth = contracts["wrapped"]
        self.v2_router, self.v3_router = contracts["v2_router"], contracts["v3_router"]
        self.fork_routers = [contracts[f"{fork}_router"] for fork in ("pancake_v1", "fork_v2")]
        self.universal, self.manager = contracts["universal_router"], contracts["v4_manager"]
        self.usdc, self.usdt, self.wbtc, self.dai = (
            world.token(symbol).address for symbol in ("USDC", "USDT", "WBTC", "DAI")
        )
        self.dexes = [dex for dex in world.made.dexes if dex.name in _DEXES]
        self.router_02 = self._deploy_router_02(world.hands(0))
        for account in ACCOUNTS:
            self._furnish(world.hands(account))
        self.rows = self._rows()
        self.routers = routers_of(self.rows, self.dexes, chain="ethereum", weth=self.weth)
        made = [one for one in world.made.pools if one.dex in _DEXES]
        self.pools = [self._pool(one) for one in made]
        self.keys: dict[str, tuple[Any, ...]] = {
            one.address: (*one.tokens, one.fee_pips, one.tick_spacing, ZERO)
            for one in made
            if one.protocol is Protocol.UNISWAP_V4
        }

    async def read(self) -> Found:
        """Read all pools at the newest block."""
        families = families_of(self.dexes)
        found = {}
        access = Access(name="one", http_url=self.world.world.http_url)
        async with open_outbound(None) as way, open_pool([access], way) as node:
            reader = ChainReader(node)
            at = parse_block(await node.request("eth_getBlockByNumber", "latest", False))
            for protocol, family in families.items():
                pools = [pool for pool in self.pools if pool.protocol is protocol]
                for now in await family.read(pools, reader, at):
                    assert isinstance(now, PoolNow), now
                    found[now.pool.address] = (now.pool, now.row.state(now.pool))
        return Found(found)

    def _rows(self) -> list[RouterAt]:
        v2, v3 = Protocol.UNISWAP_V2, Protocol.UNISWAP_V3
        return [
            *named_routers("ethereum", self.world.made.contracts, self.dexes),
            RouterAt(Kind.POOLS, "ethereum", self.router_02, v2, v3),
        ]

    def _pool(self, made: WorldPool) -> Pool:
        known = {one.address: (one.symbol, one.decimals) for one in self.world.made.tokens}
        known[ZERO] = ("ETH", 18)
        named = []
        for token in made.tokens:
            symbol, decimals = known[token]
            of = Token(chain="ethereum", address=token, decimals=decimals)
            named.append((asset_of(of, symbol=symbol), decimals))
        return Pool(
            chain="ethereum",
            protocol=made.protocol,
            address=made.address,
            tokens=tuple(named),
            fee_ratio=Decimal(made.fee_pips) / 10**6,
            gas_units=100_000,
            token_addresses=tuple(made.tokens),
        )

    def _deploy_router_02(self, owner: Hands) -> str:
        contracts = self.world.made.contracts
        v2, v3 = (
            next(dex for dex in self.dexes if dex.name == name)
            for name in ("Uniswap V2", "Uniswap V3")
        )
        router_02 = owner.deploy(
            bytecode(_ROUTER_02),
            "(address,address,address,address)",
            *(v2.factory, v3.factory, contracts["v3_positions"], self.weth),
        )
        owner.flush()
        return router_02

    def _furnish(self, hands: Hands) -> None:
        for token in (self.weth, self.usdc, self.usdt, self.wbtc, self.dai):
            hands.send(token, "approve(address,uint256)", self.router_02, UINT_MAX)
            if token == self.weth:
                hands.send(token, "deposit()", value=_MUCH_RAW)
            else:
                hands.send(token, "mint(address,uint256)", hands.me, _MUCH_RAW)
        hands.flush()
