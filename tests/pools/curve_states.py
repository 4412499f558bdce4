"""Random pools of four protocols, as exact state and kernel row, for campaign and properties."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from random import Random

import numpy as np
from numpy.typing import NDArray

from engine.detect.sizing.pieces import pieces_of_ranges
from engine.domain.errors import BadValueError
from engine.kernels import solidly as solidly_kernel
from engine.kernels import stable_swap as stable_kernel
from engine.kernels import weighted as weighted_kernel
from engine.pools import balancer_stable, balancer_weighted, curve, solidly, whirlpool
from engine.pools.balancer_stable import InvariantForm
from engine.pools.curve_math import ProductForm
from engine.pools.solidly import SolidlyForm
from engine.pools.whirlpool import WhirlpoolState
from engine.pools.whirlpool_math import ONE_X64, TICK_MAX, sqrt_price_at, tick_at
from tests.reference import solidly as solidly_twin
from tests.reference import stable_swap as stable_twin
from tests.reference import weighted as weighted_twin
from tests.reference import whirlpool as whirlpool_twin
from tests.reference.pieces import quote

Floats = NDArray[np.float64]
ULP = 1e-18
DRAWS_MAX = 1_000
INPUT_UNIT = 1.25
"""The fee is rounded to a unit of the input: it costs that unit's rate, before the fee."""
FEE_PART = 1.1e-10
"""A fee that rises off the peg is rounded to parts of 10**10: as much of the output."""
RELATIVE = 1e-12
"""Floats stay within this part of the exact output, besides the units that rounding costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One direction through one pool: exact quotes, float quotes, and how far these may differ.

    `twin` answers without any rounding. `back(given, paid)` is what the pool pays for `paid`,
    swapped back after it took `given` for it.
    """

    label: str
    exact: Callable[[int], int]
    exact_in: Callable[[int], int]
    floats: Callable[[Floats], Floats]
    slack_raw: Callable[[Floats, Floats], Floats]
    twin: Callable[[Decimal], Decimal | None]
    back: Callable[[int, int], int]
    reserve_in_raw: int
    reserve_out_raw: int


def random_amount(random: Random, reserve_raw: int) -> int:
    """Return an amount from dust to several times the reserve, each magnitude alike."""
    return max(int(reserve_raw * 10 ** random.uniform(-12, 0.5)), 1)


def random_pair(protocol: str, random: Random) -> Pair:
    """Draw until the numbers are those of a pool that can trade."""
    for _ in range(DRAWS_MAX):
        try:
            return PROTOCOLS[protocol](random)
        except BadValueError:
            continue
    raise AssertionError(f"no sound pool of {protocol} in {DRAWS_MAX} draws")


def random_solidly(random: Random) -> Pair:
    form = random.choice(list(SolidlyForm))
    decimals = [random.choice((6, 8, 9, 18)) for _ in range(2)]
    whole = 10 ** random.uniform(0, 9)
    skew = 10 ** random.uniform(-2, 2)
    state = solidly.make_solidly(
        pool="random",
        form=form,
        tokens=("A", "B"),
        reserves_raw=(
            int(whole * 10 ** decimals[0]) + 1,
            int(whole * skew * 10 ** decimals[1]) + 1,
        ),
        decimals=decimals,
        fee_e6=random.choice((0, 100, 500, 3000, 10_000)),
    )
    row = np.array(solidly.as_row(state))
    i = random.randrange(2)
    x, y = (state.reserves_raw[token] / state.scales[token] for token in (i, 1 - i))
    scale_in, scale_out = state.scales[i], state.scales[1 - i]

    def floats(amounts: Floats) -> Floats:
        return np.array([solidly_kernel.solidly_quote(row, i, amount) for amount in amounts])

    def slack(amounts: Floats, out: Floats) -> Floats:
        if form is SolidlyForm.VOLATILE:
            return 1 + INPUT_UNIT * out[:, 1]
        # Each factor of the invariant is floored at 18 decimals, at the start and at the end; the
        # slope of the curve turns that into units of the output.
        after, left = x + amounts / scale_in, y - out[:, 0] / scale_out
        floors = sum(4 + 4 * a + 4 * b + 2 * a * a + 2 * b * b for a, b in ((x, y), (after, left)))
        slope = after**3 + 3 * after * left**2
        return 1 + INPUT_UNIT * out[:, 1] + scale_out * ULP * (4 + floors / slope)

    def twin(amount: Decimal) -> Decimal:
        net = amount * (10**6 - state.fee_e6) / 10**6 / scale_in
        whole = (
            Decimal(state.reserves_raw[i]) / scale_in,
            Decimal(state.reserves_raw[1 - i]) / scale_out,
        )
        is_stable = form is not SolidlyForm.VOLATILE
        return scale_out * solidly_twin.swap_out(whole, net, is_stable=is_stable)

    def back(given: int, paid: int) -> int:
        after = list(state.reserves_raw)
        after[i] += given - given * state.fee_e6 // 10**6  # the fee leaves the reserves
        after[1 - i] -= paid
        moved = replace(state, reserves_raw=(after[0], after[1]))
        return solidly.amount_out(moved, paid, token_in=1 - i, token_out=i)

    return Pair(
        label=form.value,
        twin=twin,
        back=back,
        exact=partial(solidly.amount_out, state, token_in=i, token_out=1 - i),
        exact_in=partial(solidly.amount_in, state, token_in=i, token_out=1 - i),
        floats=floats,
        slack_raw=slack,
        reserve_in_raw=state.reserves_raw[i],
        reserve_out_raw=state.reserves_raw[1 - i],
    )


def _stable_floats(row: Floats, i: int, j: int) -> Callable[[Floats], Floats]:
    def floats(amounts: Floats) -> Floats:
        return np.array([stable_kernel.stable_swap_quote(row, i, j, amount) for amount in amounts])

    return floats


def _balances(random: Random, decimals: list[int], rates: list[int]) -> list[int]:
    whole = 10 ** random.uniform(1, 9)
    return [
        int(whole * 10 ** random.uniform(-1.5, 1.5) * 10**places / (rate / 10**18)) + 1
        for places, rate in zip(decimals, rates, strict=True)
    ]


def random_curve(random: Random, *, is_off_peg: bool = False) -> Pair:
    count = random.randint(2, 4)
    decimals = [random.choice((6, 8, 18)) for _ in range(count)]
    rates = [random.choice((10**18, int(10**18 * random.uniform(0.5, 3)))) for _ in range(count)]
    precision = random.choice((1, 100))
    forms = (ProductForm.LOOP, ProductForm.LOOP_PLUS_ONE)
    if is_off_peg:
        forms = (ProductForm.LOOP, ProductForm.ONCE)
    state = curve.make_curve(
        pool="random",
        tokens=[f"token {index}" for index in range(count)],
        balances_raw=_balances(random, decimals, rates),
        decimals=decimals,
        coin_rates_e18=rates,
        amp=random.randint(2, 5_000) * precision,
        amp_precision=precision,
        fee_e10=random.choice((0, 1_000_000, 4_000_000, 30_000_000)),
        form=ProductForm.PAIR if count == 2 and random.random() < 0.3 else random.choice(forms),
        offpeg_e10=int(10**10 * 10 ** random.uniform(0, 1.5)) if is_off_peg else 0,
    )
    row = np.array(curve.as_row(state))
    i, j = random.sample(range(count), 2)

    balances = [Decimal(balance) for balance in curve.scaled(state)]
    multiple = Decimal(state.offpeg_e10) / 10**10

    def gross(amount: Decimal) -> tuple[Decimal, Decimal]:
        net = amount * state.rates_e18[i] / 10**18
        ann = Decimal(state.amp * count) / precision
        return net, stable_twin.swap_out(balances, ann, net, token_in=i, token_out=j)

    def fee_of(net: Decimal, out: Decimal) -> Decimal:
        fee = Decimal(state.fee_e10) / 10**10
        ends = balances[i], balances[j]
        return stable_twin.fee_off_peg(ends, net, out, fee=fee, multiple=multiple)

    def slack(amounts: Floats, out: Floats) -> Floats:
        # Units of input and invariant are lost too: in a skewed pool each costs many of output.
        units = 40 * (1 + np.abs(out[:, 1]) * state.rates_e18[j] / state.rates_e18[i])
        units = 2 + INPUT_UNIT * np.abs(out[:, 1]) + units / (state.rates_e18[j] * ULP)
        if not is_off_peg:
            return units
        # The fee is a whole number of parts of 10**10, and screened at its start where it falls.
        part = FEE_PART + _part_given_back(row, i, j, amounts)
        return units + out[:, 0] * part

    def twin(amount: Decimal) -> Decimal:
        net, out = gross(amount)
        fee = max(fee_of(net, out), fee_of(Decimal(0), Decimal(0)))
        return out * 10**18 / state.rates_e18[j] * (1 - fee)

    def back(given: int, paid: int) -> int:
        moved = replace(state, balances_raw=_moved(state.balances_raw, {i: given, j: -paid}))
        return curve.amount_out(moved, paid, token_in=j, token_out=i)

    return Pair(
        label=f"curve of {count}" + " off its peg" * is_off_peg,
        twin=twin,
        back=back,
        exact=partial(curve.amount_out, state, token_in=i, token_out=j),
        exact_in=partial(curve.amount_in, state, token_in=i, token_out=j),
        floats=_stable_floats(row, i, j),
        slack_raw=slack,
        reserve_in_raw=state.balances_raw[i],
        reserve_out_raw=state.balances_raw[j],
    )


def _part_given_back(row: Floats, i: int, j: int, amounts: Floats) -> Floats:
    """Return by what part more is paid than at the fee of the start, 0 if that is not above."""
    free = row.copy()
    free[[stable_kernel.FEE_OUT_RATIO, stable_kernel.OFFPEG]] = 0.0
    x, y = row[stable_kernel.BALANCE + i], row[stable_kernel.BALANCE + j]
    added = amounts * row[stable_kernel.RATE + i]
    given = _stable_floats(free, i, j)(amounts)[:, 0] * row[stable_kernel.RATE + j]

    def fees(u: Floats, v: Floats) -> Floats:
        fee, multiple = row[stable_kernel.FEE_OUT_RATIO], row[stable_kernel.OFFPEG]
        near = 4 * u * v / (u + v) ** 2
        found: Floats = fee * multiple / (max(multiple - 1, 0) * near + 1)
        return found

    start, after = fees(x + 0 * added, y + 0 * given), fees(x + added / 2, y - given / 2)
    part: Floats = np.maximum((start - after) / (1 - start), 0.0)
    return part


def random_balancer_stable(random: Random) -> Pair:
    count = random.randint(2, 5)
    decimals = [random.choice((6, 8, 18)) for _ in range(count)]
    rates = [random.choice((10**18, int(10**18 * random.uniform(0.5, 3)))) for _ in range(count)]
    state = balancer_stable.make_stable(
        pool="random",
        tokens=[f"token {index}" for index in range(count)],
        balances_raw=_balances(random, decimals, rates),
        decimals=decimals,
        rates_e18=rates,
        amp=random.randint(2, 5_000) * balancer_stable.AMP_PRECISION,
        fee_e18=random.choice((10**12, 4 * 10**14, 10**16)),
        form=random.choice(list(InvariantForm)),
    )
    row = np.array(balancer_stable.as_row(state))
    whole = [balance * count * ULP for balance in balancer_stable.scaled(state)]
    floored = 4 * count * float(row[stable_kernel.D]) ** count / math.prod(whole)
    i, j = random.sample(range(count), 2)
    balance_out = state.balances_raw[j]

    def slack(amounts: Floats, out: Floats) -> Floats:
        del amounts
        # The contract divides by A*n^n first and multiplies by 1000 afterwards: that many units.
        # It also floors a product of balances that is much smaller than D in a skewed pool.
        drained = balance_out / (balance_out - out[:, 0])
        units = 40 + (2_000 + floored) * (1 + drained)
        units *= 1 + out[:, 1] * state.factors_e18[j] / state.factors_e18[i]
        return 2 + INPUT_UNIT * out[:, 1] + units / (state.factors_e18[j] * ULP)

    def twin(amount: Decimal) -> Decimal:
        out = stable_twin.swap_out(
            [Decimal(balance) for balance in balancer_stable.scaled(state)],
            Decimal(state.amp * count) / balancer_stable.AMP_PRECISION,
            amount * (10**18 - state.fee_e18) / 10**18 * state.factors_e18[i] / 10**18,
            token_in=i,
            token_out=j,
        )
        return out * 10**18 / state.factors_e18[j]

    def back(given: int, paid: int) -> int:
        moved = replace(state, balances_raw=_moved(state.balances_raw, {i: given, j: -paid}))
        return balancer_stable.amount_out(moved, paid, token_in=j, token_out=i)

    return Pair(
        label=f"balancer stable of {count}",
        twin=twin,
        back=back,
        exact=partial(balancer_stable.amount_out, state, token_in=i, token_out=j),
        exact_in=partial(balancer_stable.amount_in, state, token_in=i, token_out=j),
        floats=_stable_floats(row, i, j),
        slack_raw=slack,
        reserve_in_raw=state.balances_raw[i],
        reserve_out_raw=balance_out,
    )


def random_weighted(random: Random) -> Pair:
    count = random.randint(2, 4)
    decimals = [random.choice((6, 8, 18)) for _ in range(count)]
    parts = [random.randint(2, 60) for _ in range(count)]
    weights = [part * 10**18 // sum(parts) for part in parts]
    weights[0] += 10**18 - sum(weights)
    state = balancer_weighted.make_weighted(
        pool="random",
        tokens=[f"token {index}" for index in range(count)],
        balances_raw=[int(10 ** random.uniform(0, 9) * 10**places) + 1 for places in decimals],
        decimals=decimals,
        weights_e18=weights,
        fee_e18=random.choice((10**12, 3 * 10**15, 10**17)),
        has_shortcuts=random.random() < 0.5,
    )
    i, j = random.sample(range(count), 2)
    row = np.array(balancer_weighted.as_row(state, token_in=i, token_out=j))

    def floats(amounts: Floats) -> Floats:
        return np.array([weighted_kernel.weighted_quote(row, amount) for amount in amounts])

    def slack(amounts: Floats, out: Floats) -> Floats:
        del amounts
        units = 60 + 4 * float(row[weighted_kernel.EXPONENT])
        return 2 + INPUT_UNIT * out[:, 1] + state.balances_raw[j] * units * ULP

    def twin(amount: Decimal) -> Decimal | None:
        net = amount * (10**18 - state.fee_e18) / 10**18
        if net > state.balances_raw[i] * Decimal("0.3"):
            return None
        exponent = Decimal(weights[i] * 10**18 // weights[j]) / 10**18
        return weighted_twin.swap_out(
            (Decimal(state.balances_raw[i]), Decimal(state.balances_raw[j])),
            exponent,
            net,
            kept_error=Decimal(repr(row[weighted_kernel.POWER_ERROR_RATIO].item())),
        )

    def back(given: int, paid: int) -> int:
        moved = replace(state, balances_raw=_moved(state.balances_raw, {i: given, j: -paid}))
        return balancer_weighted.amount_out(moved, paid, token_in=j, token_out=i)

    return Pair(
        label="weighted",
        twin=twin,
        back=back,
        exact=partial(balancer_weighted.amount_out, state, token_in=i, token_out=j),
        exact_in=partial(balancer_weighted.amount_in, state, token_in=i, token_out=j),
        floats=floats,
        slack_raw=slack,
        reserve_in_raw=state.balances_raw[i],
        reserve_out_raw=state.balances_raw[j],
    )


def random_whirlpool(random: Random) -> Pair:
    spacing = random.choice((1, 8, 64, 128))
    tick = random.randint(-100_000, 100_000)
    width = whirlpool.TICKS_PER_ARRAY * spacing
    start = tick // width * width
    known = range(start - width, start + 2 * width, spacing)
    nets: dict[int, int] = {}
    base = int(10 ** random.uniform(6, 16))
    liquidity = base
    for _ in range(random.randint(0, 8)):
        low, high = sorted(random.sample(known, 2))
        added = max(int(base * 10 ** random.uniform(-3, 1)), 1)
        nets[low] = nets.get(low, 0) + added
        nets[high] = nets.get(high, 0) - added
        liquidity += added if low <= tick < high else 0
    ticks = sorted(nets)
    low_x64, high_x64 = sqrt_price_at(tick), sqrt_price_at(min(tick + 1, TICK_MAX))
    state = whirlpool.make_whirlpool(
        pool="random",
        tokens=("A", "B"),
        tick_spacing=spacing,
        fee_e6=random.choice((0, 100, 3000, 10_000)),
        liquidity=liquidity,
        sqrt_price_x64=random.randrange(low_x64, high_x64),
        tick=tick,
        ticks=ticks,
        nets=[nets[one] for one in ticks],
        array_starts=[start - width, start, start + width],
    )
    price, fee_ratio, index = whirlpool.as_row(state)
    ranges = np.array(whirlpool.as_ranges(state))
    i = random.randrange(2)
    pieces = pieces_of_ranges(
        whirlpool.as_ranges(state),
        sqrt_price=price,
        range_index=int(index),
        fee_ratio=fee_ratio,
        token_in=i,
    ).tolist()
    most = float(ranges[:, 2].max())
    moves = price * (1.0001 ** (1.5 * width) - 1)  # what a price may move, at most
    reserve_a, reserve_b = int(most / price**2 * moves) + 1, int(most * moves) + 1

    def floats(amounts: Floats) -> Floats:
        return np.array([quote(pieces, amount) for amount in amounts])

    def slack(amounts: Floats, out: Floats) -> Floats:
        del amounts
        # A price has 64 binary places exactly and 53 digits as a float; each step floors or ceils.
        lowest = float(ranges[0, 0])
        blur = 2.0**-63 + 4e-16 * price
        by_price = most * blur * (1 if i == 0 else 1 / lowest**2)
        return (len(ranges) + 1) * (2 + INPUT_UNIT * out[:, 1]) + by_price

    def twin(amount: Decimal) -> Decimal | None:
        exact_ranges = _exact_ranges(state)
        price = Decimal(state.sqrt_price_x64) / ONE_X64
        net = amount * (10**6 - state.fee_e6) / 10**6
        return whirlpool_twin.swap_out(exact_ranges, price, net, is_a_to_b=i == 0)

    def back(given: int, paid: int) -> int:
        done = whirlpool.swap(state, given, is_a_to_b=i == 0, is_exact_in=True)
        now = tick_at(done.sqrt_price_x64)
        is_crossed = i == 0 and done.sqrt_price_x64 in state.tick_prices_x64
        moved = replace(
            state,
            sqrt_price_x64=done.sqrt_price_x64,
            liquidity=done.liquidity,
            tick=now - is_crossed,
        )
        return whirlpool.amount_out(moved, paid, token_in=1 - i, token_out=i)

    return Pair(
        label="whirlpool",
        twin=twin,
        back=back,
        exact=partial(whirlpool.amount_out, state, token_in=i, token_out=1 - i),
        exact_in=partial(whirlpool.amount_in, state, token_in=i, token_out=1 - i),
        floats=floats,
        slack_raw=slack,
        reserve_in_raw=reserve_a if i == 0 else reserve_b,
        reserve_out_raw=reserve_b if i == 0 else reserve_a,
    )


def _moved(balances: Sequence[int], changes: dict[int, int]) -> tuple[int, ...]:
    return tuple(balance + changes.get(index, 0) for index, balance in enumerate(balances))


def _exact_ranges(state: WhirlpoolState) -> list[whirlpool_twin.Range]:
    edges = [sqrt_price_at(state.tick_low), *state.tick_prices_x64, sqrt_price_at(state.tick_high)]
    prices = [Decimal(edge) / ONE_X64 for edge in edges]
    liquidities = [Decimal(int(liquidity)) for _, _, liquidity in whirlpool.as_ranges(state)]
    return list(zip(prices[:-1], prices[1:], liquidities, strict=True))


PROTOCOLS: dict[str, Callable[[Random], Pair]] = {
    "solidly": random_solidly,
    "curve": random_curve,
    "curve_off_peg": partial(random_curve, is_off_peg=True),
    "balancer_stable": random_balancer_stable,
    "weighted": random_weighted,
    "whirlpool": random_whirlpool,
}
