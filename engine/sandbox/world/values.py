"""What a local world is, as whoever uses or announces it is told."""

from collections.abc import Mapping

import msgspec

from engine.domain.dexes import Dex
from engine.domain.pools import Protocol


class WorldToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token.

    Attributes:
        symbol: what it calls itself.
        address: in lower case.
        asset: code of the asset that it is.
    """

    symbol: str
    address: str
    decimals: int
    asset: str


class WorldPool(msgspec.Struct, frozen=True, kw_only=True):
    """A pool that the world was made with.

    Attributes:
        dex: name of its DEX.
        address: in lower case; the pool's id at Uniswap V4.
        router: contract that swaps there.
        tokens: addresses in the pool's own order, the zero address for the coin.
        fee_pips: in millionths of the input.
        tick_spacing: of concentrated pools, else 0.
        balancer_id: by which the vault knows it.
        is_stable: of Solidly.
    """

    dex: str
    protocol: Protocol
    address: str
    router: str
    tokens: tuple[str, ...]
    fee_pips: int
    tick_spacing: int = 0
    balancer_id: str = ""
    is_stable: bool = False


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What was deployed and seeded, wherever the node then runs.

    Attributes:
        contracts: addresses by names: ``v3_quoter``.
        coin: what the chain is paid in; no contract.
        accounts: that the node signs for, each with coins and tokens; the first one deployed all.
    """

    tokens: tuple[WorldToken, ...]
    coin: WorldToken
    dexes: tuple[Dex, ...]
    pools: tuple[WorldPool, ...]
    contracts: Mapping[str, str]
    accounts: tuple[str, ...]

    def token(self, symbol: str) -> WorldToken:
        """Return a token by what it calls itself."""
        return next(one for one in self.tokens if one.symbol == symbol)

    def pools_of(self, dex: str) -> list[WorldPool]:
        """Return the pools of a DEX."""
        return [one for one in self.pools if one.dex == dex]


class World(msgspec.Struct, frozen=True, kw_only=True):
    """A world on a running node.

    Attributes:
        chain: which one it poses as.
        http_url, ws_url: of its node.
    """

    chain: str
    chain_id: int
    http_url: str
    ws_url: str
    made: Made


class LocalChain(msgspec.Struct, frozen=True, kw_only=True):
    """A local chain as the sandbox announces it.

    Attributes:
        block_ms: time between two blocks.
        http_urls, ws_urls: of its nodes, which show what is pending.
        private_url: takes signed transactions (``eth_sendRawTransaction``) and shows them to nobody
            before their block.
        relay_url: takes bundles for a block as Flashbots' relay does; empty if the chain has none.
        dexes: whose factories tell of its pools.
        contracts: addresses of routers, quoters and others by names.
    """

    chain_id: int
    block_ms: int
    http_urls: tuple[str, ...]
    ws_urls: tuple[str, ...]
    private_url: str
    dexes: tuple[Dex, ...]
    contracts: Mapping[str, str]
    relay_url: str = ""
