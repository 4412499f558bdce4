"""Swaps, gives and takes liquidity at the world's DEXs, as any account can."""

from typing import Any, Final

from engine.domain.pools import Protocol
from engine.sandbox.world.dexes.uniswap_v3 import MINT
from engine.sandbox.world.hands import Hands
from engine.sandbox.world.site import FOR_EVER
from engine.sandbox.world.swaps import Order, swap_of
from engine.sandbox.world.values import Made, WorldPool

UINT128_MAX: Final = 2**128 - 1


class Trader:
    """What one account does; everything waits for `hands.flush`.

    Attributes:
        hands: that send it.
    """

    def __init__(self, hands: Hands, made: Made) -> None:
        self.hands: Final = hands
        self._made = made
        self._contracts = made.contracts

    def swap(
        self,
        pool: WorldPool,
        token_in: str,
        amount_raw: int,
        token_out: str = "",
        *,
        out_min_raw: int = 0,
    ) -> None:
        """Swap an exact amount of a token, by default for the pool's first other one."""
        order = Order(
            pool=pool,
            token_in=token_in,
            token_out=token_out or next(one for one in pool.tokens if one != token_in),
            amount_raw=amount_raw,
            out_min_raw=out_min_raw,
            account=self.hands.me,
        )
        sent = swap_of(order)
        self.hands.send(pool.router, sent.signature, *sent.arguments, value=sent.value)

    def add(self, pool: WorldPool, amounts_raw: tuple[int, int], *, ticks: tuple[int, int]) -> None:
        """Give liquidity to a pool of V3, between two ticks; or to a pair, which has none."""
        me = self.hands.me
        if pool.protocol is Protocol.UNISWAP_V2:
            self.hands.send(
                pool.router,
                "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
                *(*pool.tokens, *amounts_raw, 0, 0, me, FOR_EVER),
            )
            return
        self.hands.send(
            self._contracts["v3_positions"],
            MINT,
            (*pool.tokens, pool.fee_pips, *ticks, *amounts_raw, 0, 0, me, FOR_EVER),
        )

    def positions(self) -> list[int]:
        """Return the numbers of the account's positions at V3, the oldest first."""
        manager = self._contracts["v3_positions"]
        read = self.hands.read
        count = read(manager, "balanceOf(address)", ("uint256",), self.hands.me)
        return [
            read(
                manager,
                "tokenOfOwnerByIndex(address,uint256)",
                ("uint256",),
                self.hands.me,
                index,
            )
            for index in range(count)
        ]

    def take(self, position: int, share: float = 1.0) -> None:
        """Take liquidity, and what it earned, out of a position at V3."""
        manager = self._contracts["v3_positions"]
        liquidity: Any = self.hands.read(
            manager,
            "positions(uint256)",
            (
                *("uint96", "address", "address", "address", "uint24", "int24", "int24"),
                *("uint128", "uint256", "uint256", "uint128", "uint128"),
            ),
            position,
        )[7]
        gone = liquidity if share == 1.0 else int(liquidity * share)
        self.hands.send(
            manager,
            "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))",
            (position, gone, 0, 0, FOR_EVER),
        )
        self.hands.send(
            manager,
            "collect((uint256,address,uint128,uint128))",
            (position, self.hands.me, UINT128_MAX, UINT128_MAX),
        )

    def burn(self, position: int) -> None:
        """Give up the number of a position that holds nothing any more."""
        self.hands.send(self._contracts["v3_positions"], "burn(uint256)", position)

    def tick(self, pool: WorldPool) -> int:
        """Return the tick at which a pool of V3 stands."""
        slot = self.hands.read(pool.address, "slot0()", ("uint160", "int24"))
        return int(slot[1])

    def transfer(self, token: str, to: str, amount_raw: int) -> None:
        """Send tokens to an account or, as a gift that no pool counts, to a pool."""
        self.hands.send(token, "transfer(address,uint256)", to, amount_raw)
