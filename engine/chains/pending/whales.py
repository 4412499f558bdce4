"""Whales: swaps that move a price far, or are worth much, with their exact impact."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from engine.chains.pending.predictions import Effect
from engine.chains.ports import Log
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool
from engine.pools.impact import PriceImpact
from engine.pools.marginal_price import marginal_price
from engine.pools.snapshot_rows import PoolState


@dataclass(frozen=True, slots=True, kw_only=True)
class WhaleTerms:
    """From what size on a swap is told.

    Attributes:
        impact_ratio: change of the price, relative to the one before.
        worth_usd: of what is sold.
        told_max: so many in a minute at most, the worthiest first.
    """

    impact_ratio: Fraction = Fraction(5, 1_000)
    worth_usd: Decimal = Decimal(250_000)
    told_max: int = 6


UsdOf = Callable[[AssetCode, Decimal], Decimal | None]
"""Values an amount of an asset in dollars; nothing if nobody knows its price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whale:
    """A large swap.

    Attributes:
        impact_ratio: exact change of the price of what was bought in what was sold: above 0, as a
            swap makes what it buys dearer.
        worth_usd: of what was sold; nothing if nobody knows its price.
        is_pending: whether it is in no block yet, and what is said is predicted.
    """

    pool: Pool
    asset_in: AssetCode
    asset_out: AssetCode
    amount_in: Decimal
    amount_out: Decimal
    impact_ratio: Fraction
    worth_usd: Decimal | None
    is_pending: bool
    tx_hash: str

    @property
    def rank(self) -> tuple[Decimal, Fraction]:
        """Return by what it is worthier than another one."""
        return self.worth_usd or Decimal(0), self.impact_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """A swap in a pool, in a block or predicted.

    Attributes:
        log: the event that tells of it, of one in a block.
    """

    pool: Pool
    token_in: int
    token_out: int
    amount_in_raw: int
    amount_out_raw: int
    before: PoolState
    after: PoolState
    log: Log | None = None

    @classmethod
    def of(cls, effect: Effect) -> "Swapped":
        """Take a predicted one."""
        return cls(
            pool=effect.pool,
            token_in=effect.token_in,
            token_out=1 - effect.token_in,
            amount_in_raw=effect.amount_in_raw,
            amount_out_raw=effect.amount_out_raw,
            before=effect.before,
            after=effect.after,
        )


def impact_of(swap: Swapped) -> PriceImpact:
    """Return what a swap did to the price of what it bought, in what it sold, exactly.

    Raises:
        BadValueError: a state that no contract could trade from.
    """
    before, after = (
        marginal_price(state, token_in=swap.token_out, token_out=swap.token_in)
        for state in (swap.before, swap.after)
    )
    return PriceImpact(
        price_before=before, price_after=after, tokens=(swap.token_out, swap.token_in)
    )


def whale_of(
    swap: Swapped, terms: WhaleTerms, usd_of: UsdOf, *, tx_hash: str, is_pending: bool
) -> Whale | None:
    """Return a swap as a whale, if it is one.

    Raises:
        BadValueError: a state that no contract could trade from.
    """
    (asset_in, amount_in), (asset_out, amount_out) = (
        _amount(swap.pool, swap.token_in, swap.amount_in_raw),
        _amount(swap.pool, swap.token_out, swap.amount_out_raw),
    )
    impact = impact_of(swap)
    worth_usd = usd_of(asset_in, amount_in)
    is_worth = worth_usd is not None and worth_usd >= terms.worth_usd
    if not is_worth and not impact.reaches(terms.impact_ratio):
        return None
    return Whale(
        pool=swap.pool,
        asset_in=asset_in,
        asset_out=asset_out,
        amount_in=amount_in,
        amount_out=amount_out,
        impact_ratio=impact.change_ratio,
        worth_usd=worth_usd,
        is_pending=is_pending,
        tx_hash=tx_hash,
    )


def _amount(pool: Pool, token: int, amount_raw: int) -> tuple[AssetCode, Decimal]:
    asset, decimals = pool.tokens[token]
    return asset, Decimal(amount_raw).scaleb(-decimals)
