"""A started local world with what tests do on it; `conftest.py` tells how to get one."""

from typing import Any

from engine.sandbox.world.anvil import Anvil
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.rpc import Rpc
from engine.sandbox.world.trader import Trader
from engine.sandbox.world.values import World, WorldPool, WorldToken


class LocalWorld:
    """A world on a node of its own; see `conftest.py`."""

    def __init__(self, node: Anvil, world: World) -> None:
        self.node = node
        self.world = world
        self.made = world.made
        self.rpc = Rpc(node.url)

    def token(self, symbol: str) -> WorldToken:
        return self.made.token(symbol)

    def pool(self, dex: str, one: str, other: str, fee_pips: int | None = None) -> WorldPool:
        """Return the pool of a DEX that holds two tokens (by symbol), of some fee."""
        both = {self.token(one).address, self.token(other).address}
        return next(
            pool
            for pool in self.made.pools_of(dex)
            if both <= set(pool.tokens) and fee_pips in {None, pool.fee_pips}
        )

    def raw(self, symbol: str, whole: float) -> int:
        return int(whole * 10 ** self.token(symbol).decimals)

    def hands(self, account: int = 1) -> Hands:
        """Return what sends from one of the accounts; number 0 owns the seeded liquidity."""
        return Hands(self.rpc, self.made.accounts[account])

    def trader(self, account: int = 1) -> Trader:
        return Trader(self.hands(account), self.made)

    def swap(self, pool: WorldPool, symbol_in: str, whole: float) -> dict[str, Any]:
        """Swap now, in a block of its own; return the receipt."""
        trader = self.trader()
        trader.swap(pool, self.token(symbol_in).address, self.raw(symbol_in, whole))
        return trader.hands.flush()[-1]

    def add(
        self, pool: WorldPool, worth_raw: tuple[int, int], ticks: tuple[int, int] = (0, 0)
    ) -> int:
        """Give liquidity; return the position's number at V3, 0 for a pair."""
        trader = self.trader()
        trader.add(pool, worth_raw, ticks=ticks)
        trader.hands.flush()
        return trader.positions()[-1] if pool.tick_spacing else 0

    def take(self, position: int, share: float = 1.0) -> None:
        """Take a share of a position out, and what it earned."""
        trader = self.trader()
        trader.take(position, share)
        trader.hands.flush()

    def transfer(self, symbol: str, to: str, whole: float) -> None:
        trader = self.trader()
        trader.transfer(self.token(symbol).address, to, self.raw(symbol, whole))
        trader.hands.flush()

    def head(self) -> dict[str, Any]:
        return dict(self.rpc.ask("eth_getBlockByNumber", "latest", False))

    def mine(self, blocks: int = 1) -> None:
        self.rpc.ask("anvil_mine", hex(blocks))

    def automine(self, is_on: bool) -> None:  # noqa: FBT001 - as the node's method has it
        """Make a block of each transaction at once, or leave them pending until `mine`."""
        self.rpc.ask("evm_setAutomine", is_on)

    def reorg(self, depth: int) -> None:
        """Replace the newest blocks by as many empty ones with other hashes."""
        self.rpc.ask("anvil_reorg", depth, [])

    def snapshot(self) -> str:
        return str(self.rpc.ask("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot, which is used up; what is mined next has other hashes."""
        self.rpc.ask("evm_revert", snapshot)

    def close(self) -> None:
        self.rpc.close()
        self.node.stop()
