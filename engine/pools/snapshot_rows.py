"""What changes of a pool with every swap, as text for files and recordings, one row per form.

Whole numbers are decimal text: JSON's numbers lose the 256 bits of a chain on the way through other
readers. Each row makes the exact state of its form, which checks what only its formula knows.
"""

import re
from decimal import Decimal
from fractions import Fraction
from math import isqrt

import msgspec

from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.balancer_stable import InvariantForm, StableState, make_stable
from engine.pools.balancer_weighted import WeightedState, make_weighted
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import FEE_DENOMINATOR_MAX, ConstantProductState
from engine.pools.curve import CurveState, QuoteOrder, make_curve
from engine.pools.curve_math import ProductForm
from engine.pools.integers import INT128_MAX, INT256_MAX, PIPS, check_whole
from engine.pools.solidly import SolidlyForm, SolidlyState, make_solidly
from engine.pools.sound_ticks import SoundTicks, sound_ticks
from engine.pools.tick_math import TICK_MAX, TICK_MIN
from engine.pools.tick_table import TickTable, liquidity_max_per_tick
from engine.pools.whirlpool import WhirlpoolState, make_whirlpool

TICKS_MAX = 20_000
"""Initialised ticks of one snapshot; the busiest pools of Ethereum have some two thousand."""

PAIR_LIQUIDITY_MIN = 1_000
"""Root of the product of a pair's reserves: the contract burns as many shares at the first mint."""

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,79})")
_SHOWN_CHARACTERS_MAX = 90

PoolState = (
    ConstantProductState
    | ConcentratedState
    | SolidlyState
    | CurveState
    | StableState
    | WeightedState
    | WhirlpoolState
)


class PairRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    omit_defaults=True,
    tag_field="form",
    tag="pair",
):
    """Reserves of a constant product pair.

    Attributes:
        fees_e9: of an input of token 0 and of one of token 1, in parts of 10**9, where they are not
            the same; the pool's fee is then the higher one.
    """

    reserve0_raw: str
    reserve1_raw: str
    fees_e9: tuple[int, ...] = ()

    def state(self, pool: Pool) -> ConstantProductState:
        """Make the exact state.

        Raises:
            BadValueError: no pair can have these reserves or this fee.
        """
        reserve0 = whole(self.reserve0_raw, what="reserve0_raw")
        reserve1 = whole(self.reserve1_raw, what="reserve1_raw")
        fee0, fee1 = self._fees(pool)
        state = ConstantProductState.of(
            reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=fee0, fee1=fee1
        )
        check_pair_liquidity(state)
        return state

    def _fees(self, pool: Pool) -> tuple[Fraction, Fraction]:
        fee = Fraction(pool.fee_ratio)
        if not self.fees_e9:
            return fee, fee
        if len(self.fees_e9) != 2:  # noqa: PLR2004 - tokens
            raise BadValueError(f"{len(self.fees_e9)} fees of a pair; each of two tokens has one")
        fee0, fee1 = (Fraction(one, FEE_DENOMINATOR_MAX) for one in self.fees_e9)
        if max(fee0, fee1) != fee:
            raise BadValueError(f"fees {self.fees_e9} of a pair whose fee is {pool.fee_ratio}")
        return fee0, fee1


class ConcentratedRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="form",
    tag="concentrated",
):
    """Price, liquidity and initialised ticks of a concentrated pool, nets in rising order.

    Ticks outside of `known_min`..`known_max` were not read; a swap that gets there is refused.

    Attributes:
        grosses: gross liquidity of each tick; nothing if it was not read, and then no liquidity can
            be added to or taken from the pool but by another snapshot.
    """

    sqrt_price_x96: str
    tick: int
    liquidity: str
    tick_spacing: int
    ticks: tuple[tuple[int, str], ...]
    known_min: int = TICK_MIN
    known_max: int = TICK_MAX
    grosses: tuple[str, ...] = ()

    def state(self, pool: Pool) -> ConcentratedState:
        """Make the exact state.

        Raises:
            BadValueError: no pool can have these ticks or this price, or it cannot trade there.
        """
        if len(self.ticks) > TICKS_MAX:
            raise BadValueError(f"{len(self.ticks)} ticks; at most {TICKS_MAX} are read")
        liquidity = whole(self.liquidity, what="liquidity")
        nets = [whole(net, what=f"net liquidity at tick {tick}") for tick, net in self.ticks]
        sound = sound_ticks(
            SoundTicks(
                ticks=[tick for tick, _ in self.ticks],
                liquidity_nets=nets,
                known_min=self.known_min,
                known_max=self.known_max,
            ),
            liquidity=liquidity,
            tick=self.tick,
            ends=(TICK_MIN, TICK_MAX),
        )
        table = TickTable.of(
            tick_spacing=self.tick_spacing,
            ticks=sound.ticks,
            liquidity_nets=sound.liquidity_nets,
            known_min=sound.known_min,
            known_max=sound.known_max,
            cut=sound.cut,
            grosses=None if sound.cut else self._grosses(),
        )
        self._check_nets(table)
        state = ConcentratedState(
            sqrt_price_x96=whole(self.sqrt_price_x96, what="sqrt_price_x96"),
            tick=self.tick,
            liquidity=liquidity,
            fee_pips=_scaled(pool.fee_ratio, PIPS),
            table=table,
            amount_raw_max=INT128_MAX if pool.protocol is Protocol.UNISWAP_V4 else INT256_MAX,
            protocol_fees_pips=_protocol_fees(pool),
        )
        check_has_liquidity(state)
        return state

    def _grosses(self) -> list[int] | None:
        if not self.grosses and self.ticks:
            return None
        return [
            whole(gross, what=f"gross liquidity {index}")
            for index, gross in enumerate(self.grosses)
        ]

    def _check_nets(self, table: TickTable) -> None:
        share = liquidity_max_per_tick(table.tick_spacing)
        for tick, net in zip(table.ticks, table.liquidity_nets, strict=True):
            check_whole(net, what=f"net liquidity at tick {tick}", low=-share, high=share)


class CurveRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="form",
    tag="curve",
):
    """Balances and amplification of a plain Curve pool, as `make_curve` takes them.

    Attributes:
        offpeg_e10: of a pool whose fee rises off the peg; not written where it does not.
    """

    balances_raw: tuple[str, ...]
    amp: int
    amp_precision: int
    rates_e18: tuple[str, ...] = ()
    product_form: ProductForm = ProductForm.LOOP
    quote_order: QuoteOrder = QuoteOrder.FEE_FIRST
    offpeg_e10: int | msgspec.UnsetType = msgspec.UNSET

    def state(self, pool: Pool) -> CurveState:
        """Make the exact state.

        Raises:
            BadValueError: no such pool can be.
        """
        return make_curve(
            pool=str(pool.pool_id),
            tokens=pool.assets,
            balances_raw=_wholes(self.balances_raw, what="balance"),
            decimals=_decimals(pool),
            amp=self.amp,
            amp_precision=self.amp_precision,
            fee_e10=_scaled(pool.fee_ratio, 10**10),
            coin_rates_e18=_wholes(self.rates_e18, what="rate") or None,
            form=self.product_form,
            quote_order=self.quote_order,
            offpeg_e10=self.offpeg_e10 or 0,
        )


class SolidlyRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="form",
    tag="solidly",
):
    """Reserves of a Solidly pool, volatile or stable."""

    reserves_raw: tuple[str, str]
    curve: SolidlyForm

    def state(self, pool: Pool) -> SolidlyState:
        """Make the exact state.

        Raises:
            BadValueError: no such pool can be.
        """
        return make_solidly(
            pool=str(pool.pool_id),
            form=self.curve,
            tokens=pool.assets,
            reserves_raw=_wholes(self.reserves_raw, what="reserve"),
            decimals=_decimals(pool),
            fee_e6=_scaled(pool.fee_ratio, 10**6),
        )


class WeightedRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="form",
    tag="weighted",
):
    """Balances and weights of a Balancer weighted pool."""

    balances_raw: tuple[str, ...]
    weights_e18: tuple[str, ...]
    has_shortcuts: bool

    def state(self, pool: Pool) -> WeightedState:
        """Make the exact state.

        Raises:
            BadValueError: no such pool can be.
        """
        return make_weighted(
            pool=str(pool.pool_id),
            tokens=pool.assets,
            balances_raw=_wholes(self.balances_raw, what="balance"),
            decimals=_decimals(pool),
            weights_e18=_wholes(self.weights_e18, what="weight"),
            fee_e18=_scaled(pool.fee_ratio, 10**18),
            has_shortcuts=self.has_shortcuts,
        )


class StableRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="form",
    tag="stable",
):
    """Balances, rates and amplification of a Balancer stable pool without its share token."""

    balances_raw: tuple[str, ...]
    rates_e18: tuple[str, ...]
    amp: int
    invariant_form: InvariantForm

    def state(self, pool: Pool) -> StableState:
        """Make the exact state.

        Raises:
            BadValueError: no such pool can be.
        """
        return make_stable(
            pool=str(pool.pool_id),
            tokens=pool.assets,
            balances_raw=_wholes(self.balances_raw, what="balance"),
            decimals=_decimals(pool),
            rates_e18=_wholes(self.rates_e18, what="rate"),
            amp=self.amp,
            fee_e18=_scaled(pool.fee_ratio, 10**18),
            form=self.invariant_form,
        )


class WhirlpoolRow(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    kw_only=True,
    tag_field="form",
    tag="whirlpool",
):
    """Price, liquidity and known tick arrays of an Orca Whirlpool."""

    sqrt_price_x64: str
    tick: int
    liquidity: str
    tick_spacing: int
    ticks: tuple[tuple[int, str], ...]
    array_starts: tuple[int, ...]

    def state(self, pool: Pool) -> WhirlpoolState:
        """Make the exact state.

        Raises:
            BadValueError: no such pool can be, or none that trades.
        """
        if len(self.ticks) > TICKS_MAX:
            raise BadValueError(f"{len(self.ticks)} ticks; at most {TICKS_MAX} are read")
        state = make_whirlpool(
            pool=str(pool.pool_id),
            tokens=pool.assets,
            tick_spacing=self.tick_spacing,
            fee_e6=_scaled(pool.fee_ratio, 10**6),
            liquidity=whole(self.liquidity, what="liquidity"),
            sqrt_price_x64=whole(self.sqrt_price_x64, what="sqrt_price_x64"),
            tick=self.tick,
            ticks=[tick for tick, _ in self.ticks],
            nets=[whole(net, what=f"net liquidity at tick {tick}") for tick, net in self.ticks],
            array_starts=self.array_starts,
        )
        if state.most_liquidity == 0:
            raise BadValueError(
                f"liquidity is 0 at tick {state.tick} and everywhere else in the known tick arrays"
            )
        return state


AnyRow = PairRow | ConcentratedRow | CurveRow | SolidlyRow | WeightedRow | StableRow | WhirlpoolRow

ROW_OF: dict[Protocol, type[AnyRow]] = {
    Protocol.UNISWAP_V2: PairRow,
    Protocol.SUSHISWAP_V2: PairRow,
    Protocol.PANCAKESWAP_V2: PairRow,
    Protocol.QUICKSWAP_V2: PairRow,
    Protocol.CAMELOT_V2: PairRow,
    Protocol.BASESWAP_V2: PairRow,
    Protocol.BISWAP_V2: PairRow,
    Protocol.UNISWAP_V3: ConcentratedRow,
    Protocol.SUSHISWAP_V3: ConcentratedRow,
    Protocol.PANCAKESWAP_V3: ConcentratedRow,
    Protocol.QUICKSWAP_V3: ConcentratedRow,
    Protocol.CAMELOT_V3: ConcentratedRow,
    Protocol.THENA_FUSION: ConcentratedRow,
    Protocol.AERODROME_SLIPSTREAM: ConcentratedRow,
    Protocol.VELODROME_SLIPSTREAM: ConcentratedRow,
    Protocol.UNISWAP_V4: ConcentratedRow,
    Protocol.AERODROME_V2: SolidlyRow,
    Protocol.VELODROME_V2: SolidlyRow,
    Protocol.THENA_V1: SolidlyRow,
    Protocol.CURVE: CurveRow,
    Protocol.BALANCER_WEIGHTED: WeightedRow,
    Protocol.BALANCER_STABLE: StableRow,
    Protocol.WHIRLPOOL: WhirlpoolRow,
}
"""The form that each protocol has."""


def whole(text: str, *, what: str) -> int:
    """Parse a whole number in its one decimal form: no spaces, plus signs or leading zeros.

    Raises:
        BadValueError: anything else, NaN and infinity included, or more than 80 digits.
    """
    if not _WHOLE.fullmatch(text) or text == "-0":
        shown = text[:_SHOWN_CHARACTERS_MAX]
        raise BadValueError(f"{what} is no whole number of at most 80 digits: {shown!r}")
    return int(text)


def check_pair_liquidity(state: ConstantProductState) -> None:
    """Check that a pair has at least the liquidity that no one can take out of it.

    Raises:
        BadValueError: it has less.
    """
    product = state.reserve0_raw * state.reserve1_raw
    if product < PAIR_LIQUIDITY_MIN**2:
        raise BadValueError(
            f"liquidity is {isqrt(product)}, the root of the product of the reserves"
            f" {state.reserve0_raw} and {state.reserve1_raw}; a pair keeps {PAIR_LIQUIDITY_MIN}"
            " for ever"
        )


def check_has_liquidity(state: ConcentratedState) -> None:
    """Check that a concentrated pool has liquidity somewhere: a swap gets there from anywhere.

    Raises:
        BadValueError: it cannot.
    """
    if state.most_liquidity == 0:
        raise BadValueError(f"liquidity is 0 at tick {state.tick} and everywhere else")


def _wholes(texts: tuple[str, ...], *, what: str) -> list[int]:
    return [whole(text, what=f"{what} {index}") for index, text in enumerate(texts)]


def _decimals(pool: Pool) -> list[int]:
    return [decimals for _, decimals in pool.tokens]


def _protocol_fees(pool: Pool) -> tuple[int, int]:
    if not pool.protocol_fee_ratios:
        return 0, 0
    of_token0, of_token1 = (_scaled(ratio, PIPS) for ratio in pool.protocol_fee_ratios)
    return of_token0, of_token1


def _scaled(fee_ratio: Decimal, one: int) -> int:
    scaled = Fraction(fee_ratio) * one
    if scaled.denominator != 1:
        raise BadValueError(f"fee_ratio {fee_ratio} is finer than 1/{one}, its unit there")
    return scaled.numerator
