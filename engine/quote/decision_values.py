"""What a decision on a sized route rests on: gain expected and at worst, and what would kill it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from engine.domain.claims import UNCALIBRATED, may_tell
from engine.domain.errors import BadValueError
from engine.domain.units import BPS_PER_UNIT

_DIGITS = Context(prec=60)
_GWEI_PER_NATIVE = Decimal(10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """How likely the gain is. `value` is `None` as long as no calibrated model stands behind it.

    `basis` is the model, of `domain.claims`.
    """

    value: Decimal | None
    basis: str

    def __post_init__(self) -> None:
        if self.value is None:
            return
        if not 0 <= self.value <= 1 or not may_tell(float(self.value), self.basis):
            raise BadValueError(
                f"confidence {self.value} from {self.basis!r}; 0 to 1, from a model that is"
                " calibrated, and so much only if of what it told so much enough held"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteCosts:
    """Costs of a route in its first asset, `native_price` being that asset per native token.

    `gas_units` is 0 for routes that no chain executes; `data_fee` is what a rollup takes for bytes;
    `fixed_cost` holds transfers and the like.
    """

    gas_units: int = 0
    gas_price_gwei: Decimal = Decimal(0)
    native_price: Decimal = Decimal(0)
    flash_fee_ratio: Decimal = Decimal(0)
    fixed_cost: Decimal = Decimal(0)
    data_fee: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        for what in (
            "gas_units",
            "gas_price_gwei",
            "native_price",
            "flash_fee_ratio",
            "fixed_cost",
            "data_fee",
        ):
            value = Decimal(getattr(self, what))
            if not (value.is_finite() and value >= 0):
                raise BadValueError(f"{what} {value} of a route; it must not be negative")
        if self.gas_units and not self.native_price:
            raise BadValueError(
                f"gas of {self.gas_units} units without a price of the native token"
            )

    @property
    def gas_cost(self) -> Decimal:
        """Gas in the route's first asset."""
        with localcontext(_DIGITS):
            return self.gas_units * self.gas_price_gwei / _GWEI_PER_NATIVE * self.native_price


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionValues:
    """Amounts in the route's first asset.

    `profit_worst` is the gain if every leg gives the least that its slippage bound lets through.
    `gas_price_break_even_gwei` is `None` without gas, and negative never: 0 says that no gas price
    is low enough. `data_fee` is what a rollup takes for bytes, 0 elsewhere.
    `kill_move_ratio` is by how much the route's price may fall, at this size, until nothing is
    gained; 0 if nothing is gained already.
    """

    profit_expected: Decimal
    profit_worst: Decimal
    gas_price_break_even_gwei: Decimal | None
    data_fee: Decimal
    kill_move_ratio: Decimal
    confidence: Confidence


def values_of(
    *,
    amount_in: Decimal,
    amount_out: Decimal,
    costs: RouteCosts,
    slippage_bps: Sequence[Decimal],
) -> DecisionValues:
    """Work the values out for a sized route.

    A leg that gives less hands less on. All legs are concave and give nothing for nothing, so that
    a share of an input gives at least that share of the output: the product of the legs' bounds is
    on the safe side.

    Args:
        amount_in: what the route pays.
        amount_out: what it gets, before gas, flash fee and fixed costs.
        costs: of the route.
        slippage_bps: how much less than expected each leg may give.

    Raises:
        BadValueError: amounts that are not positive, or a bound that is not from 0 to 10,000.
    """
    for what, amount in (("amount_in", amount_in), ("amount_out", amount_out)):
        if not (amount.is_finite() and amount > 0):
            raise BadValueError(f"{what} {amount} of a route; it must be positive")
    if not slippage_bps or not all(0 <= bps <= BPS_PER_UNIT for bps in slippage_bps):
        raise BadValueError(f"slippage_bps {list(slippage_bps)}; one from 0 to 10,000 per leg")
    with localcontext(_DIGITS):
        kept = Decimal(1)
        for bps in slippage_bps:
            kept *= 1 - bps / BPS_PER_UNIT
        fixed = costs.fixed_cost + costs.data_fee
        before_gas = amount_out - amount_in * (1 + costs.flash_fee_ratio) - fixed
        profit = before_gas - costs.gas_cost
        break_even = None
        if costs.gas_units:
            per_gwei = costs.gas_units * costs.native_price / _GWEI_PER_NATIVE
            break_even = max(before_gas, Decimal(0)) / per_gwei
        return DecisionValues(
            profit_expected=profit,
            profit_worst=profit - amount_out * (1 - kept),
            gas_price_break_even_gwei=break_even,
            data_fee=costs.data_fee,
            kill_move_ratio=max(profit, Decimal(0)) / amount_out,
            confidence=Confidence(value=None, basis=UNCALIBRATED),
        )
