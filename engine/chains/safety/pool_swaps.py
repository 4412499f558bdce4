"""Buying and selling a token at a pool, as a trader's contract does.

Two kinds of pool are traded with as they are: pairs with reserves, which are paid first (Uniswap
V2, Solidly), and pools with ticks, which ask for the payment in a callback (Uniswap V3, Algebra).
From any other one the token is sent as the pool would send it, and back: what a token does with
its transfers shows all the same.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from engine.chains.safety.evm import ProbeEvm
from engine.chains.safety.token_calls import Moved, TokenCalls
from engine.chains.safety.words import (
    WORD,
    address_word,
    number_at,
    number_word,
    selector,
    signed_at,
)

_GET_RESERVES: Final = selector("getReserves()")
_SLOT0: Final = selector("slot0()")
_GLOBAL_STATE: Final = selector("globalState()")
_TOKEN0: Final = selector("token0()")
_SYNC: Final = selector("sync()")
_AMOUNT_OUT: Final = selector("getAmountOut(uint256,address)")
_SWAP_PAIR: Final = selector("swap(uint256,uint256,address,bytes)")
_SWAP_TICKS: Final = selector("swap(address,bool,int256,uint160,bytes)")
_EMPTY_BYTES: Final = bytes(WORD)
_PRICE_MIN: Final = 4_295_128_740
_PRICE_MAX: Final = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_341
_PAIR_FEES_PIPS: Final = (2_000, 2_500, 3_000, 5_000, 10_000, 30_000)
"""A pair does not say its fee: the lowest that it accepts."""
_PIPS: Final = 1_000_000
_RESERVES: Final = 2


class PoolKind(StrEnum):
    """How a pool is traded with."""

    PAIR = "pair"
    TICKS = "ticks"
    OTHER = "other"


class Swapped(NamedTuple):
    """What a swap did.

    Attributes:
        is_done: it did not revert.
        moved: what the token's own transfer in it did.
    """

    is_done: bool
    moved: Moved


class PoolSwaps:
    """A pool that holds the token, and the trader.

    Attributes:
        kind: how the pool is traded with.
        gas_most: that any swap took.
    """

    def __init__(self, token: TokenCalls, counter: TokenCalls, pool: str, trader: str) -> None:
        self._evm: Final[ProbeEvm] = token.evm
        self._token: Final = token
        self._counter: Final = counter
        self._pool: Final = pool
        self._trader: Final = trader
        self.kind: Final = self._kind()
        first = number_at(self._evm.view(pool, _TOKEN0))
        self._is_first: Final = first == int(token.address, 16)

    def fund(self, *, share: int) -> int:
        """Give the trader a part of what the pool holds of the other token, and return how much.

        A pair is told that it has less, as if it had never had more. A pool that is not traded
        with needs no payment: what it gives is counted in the token itself.
        """
        if self.kind is PoolKind.OTHER:
            return self._token.balance(self._pool) // share
        amount = self._counter.balance(self._pool) // share
        if amount == 0 or not self._counter.transfer(self._pool, self._trader, amount).is_done:
            return 0
        if self.kind is PoolKind.PAIR:
            self._evm.call(self._trader, self._pool, _SYNC)
        return self._counter.balance(self._trader)

    def buy(self, amount: int) -> Swapped | None:
        """Buy with so much of the other token; None if this pool cannot be traded with."""
        if self.kind is PoolKind.PAIR:
            return self._swap_pair(self._counter, self._token, amount)
        if self.kind is PoolKind.TICKS:
            return self._swap_ticks(amount, is_selling=False)
        moved = self._token.transfer(self._pool, self._trader, amount)
        return Swapped(is_done=moved.is_done, moved=moved)

    def sell(self, amount: int) -> Swapped | None:
        """Sell so much of the token."""
        if self.kind is PoolKind.PAIR:
            return self._swap_pair(self._token, self._counter, amount)
        if self.kind is PoolKind.TICKS:
            return self._swap_ticks(amount, is_selling=True)
        moved = self._token.transfer(self._trader, self._pool, amount)
        return Swapped(is_done=moved.is_done, moved=moved)

    def _swap_pair(self, given: TokenCalls, taken: TokenCalls, amount: int) -> Swapped | None:
        paid = given.transfer(self._trader, self._pool, amount)
        is_selling = given is self._token
        if not paid.is_done:
            return Swapped(is_done=False, moved=paid)
        is_given_first = is_selling == self._is_first
        for out in self._outs(given, arrived=paid.received, is_given_first=is_given_first):
            amounts = (0, out) if is_given_first else (out, 0)
            sent = _SWAP_PAIR + b"".join(
                (
                    number_word(amounts[0]),
                    number_word(amounts[1]),
                    address_word(self._trader),
                    number_word(4 * WORD),
                    _EMPTY_BYTES,
                )
            )
            had, there = taken.balance(self._pool), taken.balance(self._trader)
            outcome = self._evm.call(self._trader, self._pool, sent)
            if outcome.is_done:
                if is_selling:
                    return Swapped(is_done=True, moved=paid)
                return Swapped(
                    is_done=True,
                    moved=Moved(
                        is_done=True,
                        says=number_word(1),
                        sent=out,
                        lost=had - taken.balance(self._pool),
                        received=taken.balance(self._trader) - there,
                        gas=outcome.gas,
                    ),
                )
        return Swapped(is_done=False, moved=paid) if is_selling else None

    def _outs(self, given: TokenCalls, *, arrived: int, is_given_first: bool) -> list[int]:
        said = self._evm.view(
            self._pool, _AMOUNT_OUT + number_word(arrived) + address_word(given.address)
        )
        if (out := number_at(said)) is not None:
            return [out]
        reserves = self._evm.view(self._pool, _GET_RESERVES)
        pair = (number_at(reserves, 0) or 0, number_at(reserves, 1) or 0)
        there, here = pair if is_given_first else pair[::-1]
        outs = []
        for fee_pips in _PAIR_FEES_PIPS:
            kept = arrived * (_PIPS - fee_pips)
            outs.append(kept * here // max(there * _PIPS + kept, 1))
        return outs

    def _swap_ticks(self, amount: int, *, is_selling: bool) -> Swapped | None:
        zero_for_one = is_selling == self._is_first
        sent = _SWAP_TICKS + b"".join(
            (
                address_word(self._trader),
                number_word(int(zero_for_one)),
                number_word(amount),
                number_word(_PRICE_MIN if zero_for_one else _PRICE_MAX),
                number_word(5 * WORD),
                _EMPTY_BYTES,
            )
        )
        had, there = self._token.balance(self._pool), self._token.balance(self._trader)
        outcome = self._evm.call(self._trader, self._pool, sent)
        rose = self._token.balance(self._pool) - had
        gained = self._token.balance(self._trader) - there
        said = signed_at(outcome.answer, 0 if self._is_first else 1) or 0
        moved = Moved(
            is_done=outcome.is_done,
            says=number_word(1),
            sent=abs(said),
            lost=-gained if is_selling else -rose,
            received=rose if is_selling else gained,
            gas=outcome.gas,
        )
        return Swapped(is_done=outcome.is_done, moved=moved)

    def _kind(self) -> PoolKind:
        if len(self._evm.view(self._pool, _GET_RESERVES)) >= _RESERVES * WORD:
            return PoolKind.PAIR
        if self._evm.view(self._pool, _SLOT0) or self._evm.view(self._pool, _GLOBAL_STATE):
            return PoolKind.TICKS
        return PoolKind.OTHER
