"""Routes through pools: the amounts at each of them, in the order in which routers find them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from engine.chains.pending.intents import Hop
from engine.chains.pending.trading import (
    Traded,
    UnpredictedError,
    buy,
    quote_in,
    quote_out,
    sell,
    trade,
)
from engine.domain.pools import Pool
from engine.pools.concentrated import ConcentratedState
from engine.pools.snapshot_rows import PoolState
from engine.pools.solidly import SolidlyState

PoolNow = Callable[[str], tuple[Pool, PoolState]]
"""Finds a pool as it is by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A hop of a route with its pool.

    Attributes:
        state: the pool as it was before the route.
        sold: address of the token that goes in.
        bought: address of the token that comes out.
    """

    hop: Hop
    pool: Pool
    state: PoolState
    sold: str
    bought: str

    @classmethod
    def of(cls, hop: Hop, pool: Pool, state: PoolState) -> "Leg":
        """Check that a hop fits its pool.

        Raises:
            UnpredictedError: the pool's tokens are others than its caller means.
        """
        addresses = pool.token_addresses
        if hop.tokens is None:
            if len(addresses) != 2:  # noqa: PLR2004 - one in, one out
                raise UnpredictedError(f"the tokens of {pool} have no addresses")
            sold, bought = addresses[hop.token_in], addresses[1 - hop.token_in]
        else:
            sold, bought = hop.tokens
            if addresses and (addresses[hop.token_in], addresses[1 - hop.token_in]) != hop.tokens:
                raise UnpredictedError(f"{pool} has other tokens than {sold} and {bought}")
        return cls(hop=hop, pool=pool, state=state, sold=sold, bought=bought)

    @property
    def is_pair(self) -> bool:
        """Whether the pool is asked for an amount out, and not for a swap of an amount in."""
        return not isinstance(self.state, ConcentratedState)


def quoted_ahead(legs: list[Leg], amount_raw: int, *, is_exact_in: bool) -> list[int]:
    """Return the amounts between pairs, all found before the first of them moves.

    Raises:
        RevertsError: a router's library would refuse.
        UnpredictedError: a form that routers do not quote so.
    """
    amounts = [amount_raw]
    if is_exact_in:
        for leg in legs:
            amounts.append(quote_out(leg.state, amounts[-1], token_in=leg.hop.token_in))
        return amounts
    for leg in reversed(legs):
        amounts.append(quote_in(leg.state, amounts[-1], token_in=leg.hop.token_in))
    return amounts[::-1]


def steps_in(legs: list[Leg], amounts: list[int], now: PoolNow) -> Iterator[tuple[Leg, Traded]]:
    """Trade given amounts in each pair, as it is by then.

    Raises:
        RevertsError: a pair refuses.
        UnpredictedError: a form whose refusals are not known exactly.
    """
    for leg, (given_raw, got_raw) in zip(legs, pairwise(amounts), strict=True):
        pool, state = now(leg.hop.pool)
        if isinstance(state, SolidlyState) and state != leg.state:
            raise UnpredictedError(f"{pool} twice in a route")
        yield leg, trade(pool, state, given_raw, got_raw, token_in=leg.hop.token_in)


def sold_through(leg: Leg, now: PoolNow, amount_raw: int, limit_x96: int) -> Traded:
    """Sell an amount to a pool as it is by now; see `trading.sell`."""
    pool, state = now(leg.hop.pool)
    hop = leg.hop
    return sell(
        pool,
        state,
        amount_raw,
        token_in=hop.token_in,
        kept_e9=hop.kept_e9,
        limit_x96=limit_x96,
    )


def bought(leg: Leg, now: PoolNow, amount_raw: int, limit_x96: int) -> Traded:
    """Buy an amount from a pool as it is by now; see `trading.buy`."""
    pool, state = now(leg.hop.pool)
    return buy(pool, state, amount_raw, token_in=leg.hop.token_in, limit_x96=limit_x96)
