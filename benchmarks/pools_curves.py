"""Quotes of Solidly, Curve, Balancer and Whirlpool pools, exact and as floats.

`python -m benchmarks.pools_curves` prints the table. A float quote is timed within a batch of a
thousand, as the detector calls it; an exact one by itself.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numba import njit

from benchmarks.harness import Row, machine, print_table, row, time_calls
from engine.kernels import solidly as solidly_kernel
from engine.kernels import stable_swap as stable_kernel
from engine.kernels import weighted as weighted_kernel
from engine.pools import balancer_stable, balancer_weighted, curve, solidly, tricrypto, whirlpool
from engine.pools.balancer_stable import InvariantForm
from engine.pools.solidly import SolidlyForm
from engine.pools.whirlpool_math import sqrt_price_at

CALLS = 5_000
WARM_UP_CALLS = 300
BATCH = 1_000
VOLATILE_FIRST = (SolidlyForm.VOLATILE, SolidlyForm.STABLE)

SOLIDLY = {
    form: solidly.make_solidly(
        pool="DOLA/USDbC",
        form=form,
        tokens=("DOLA", "USDbC"),
        reserves_raw=(50_505_815_806_501_471_698_332, 35_728_582_212),
        decimals=(18, 6),
        fee_e6=500,
    )
    for form in SolidlyForm
}
TRIPOOL = curve.make_curve(
    pool="3pool",
    tokens=("DAI", "USDC", "USDT"),
    balances_raw=(27_137_121_100_372_139_339_642_768, 27_662_471_158_553, 108_298_644_409_129),
    decimals=(18, 6, 6),
    amp=4_000,
    amp_precision=1,
    fee_e10=1_500_000,
)
TRICRYPTO = tricrypto.TricryptoState(
    balances_raw=(87_415_844_442, 129_348_722, 43_137_143_734_068_899_114),
    scales=(10**12, 10**10, 1),
    amp=364_500,
    gamma_e18=69_999_999_999_999,
    d_e18=286_349_051_375_261_364_933_634,
    price_scale_e18=(75_804_766_119_084_417_938_595, 2_345_740_822_056_210_128_261),
    fee_gamma_e18=10**16,
    mid_fee_e10=4_000_000,
    out_fee_e10=40_000_000,
)
STABLE = balancer_stable.make_stable(
    pool="wstETH/WETH",
    tokens=("wstETH", "WETH"),
    balances_raw=(83_498_638_933_194_391, 101_943_423_934_693_947),
    decimals=(18, 18),
    rates_e18=(1_226_470_562_881_593_452, 10**18),
    amp=50_000,
    fee_e18=4 * 10**14,
    form=InvariantForm.ROUND_UP,
)
WEIGHTED = balancer_weighted.make_weighted(
    pool="BAL/WETH",
    tokens=("BAL", "WETH"),
    balances_raw=(29_401_141_523_139_759_968_410_400, 605_007_002_163_317_945_954),
    decimals=(18, 18),
    weights_e18=(8 * 10**17, 2 * 10**17),
    fee_e18=10**16,
    has_shortcuts=False,
)
TICKS = tuple(range(-640, 640, 64))
WHIRLPOOL = whirlpool.make_whirlpool(
    pool="A/B",
    tokens=("A", "B"),
    tick_spacing=64,
    fee_e6=3_000,
    liquidity=10**13,
    sqrt_price_x64=sqrt_price_at(10),
    tick=10,
    ticks=TICKS,
    nets=tuple(10**11 if tick < 0 else -(10**11) for tick in TICKS),
    array_starts=(-5_632, 0),
)
WITHIN, ACROSS = 10**9, 10**11
"""Amounts of A: one that stays between two ticks, one that crosses several."""

Quote = Callable[[int], int]
EXACT: dict[str, tuple[Quote, int]] = {
    "solidly_volatile": (
        partial(solidly.amount_out, SOLIDLY[SolidlyForm.VOLATILE], token_in=0, token_out=1),
        10**20,
    ),
    "solidly_stable": (
        partial(solidly.amount_out, SOLIDLY[SolidlyForm.STABLE], token_in=0, token_out=1),
        10**20,
    ),
    "solidly_stable.in": (
        partial(solidly.amount_in, SOLIDLY[SolidlyForm.STABLE], token_in=0, token_out=1),
        10**8,
    ),
    "curve_3": (partial(curve.amount_out, TRIPOOL, token_in=0, token_out=1), 10**23),
    "curve_3.in": (partial(curve.amount_in, TRIPOOL, token_in=0, token_out=1), 10**11),
    "curve_tricrypto": (partial(tricrypto.amount_out, TRICRYPTO, token_in=0, token_out=1), 10**9),
    "balancer_stable": (
        partial(balancer_stable.amount_out, STABLE, token_in=0, token_out=1),
        10**15,
    ),
    "balancer_stable.in": (
        partial(balancer_stable.amount_in, STABLE, token_in=0, token_out=1),
        10**15,
    ),
    "weighted": (partial(balancer_weighted.amount_out, WEIGHTED, token_in=0, token_out=1), 10**22),
    "weighted.in": (
        partial(balancer_weighted.amount_in, WEIGHTED, token_in=0, token_out=1),
        10**18,
    ),
    "whirlpool.1_range": (
        partial(whirlpool.amount_out, WHIRLPOOL, token_in=0, token_out=1),
        WITHIN,
    ),
    "whirlpool.4_ranges": (
        partial(whirlpool.amount_out, WHIRLPOOL, token_in=0, token_out=1),
        ACROSS,
    ),
}


def measure_exact() -> list[Row]:
    """Time one exact quote per call, each of a slightly different amount."""
    rows = []
    for name, (quote, amount) in EXACT.items():
        calls = [partial(quote, amount + number) for number in range(CALLS)]
        rows.append(row(f"pools.{name}.exact", time_calls(calls)[WARM_UP_CALLS:]))
    return rows


@njit  # type: ignore[untyped-decorator, unused-ignore]
def _quote_all(quote: Any, row: Any, ends: Any, amounts: Any, out: Any) -> None:
    for r in range(len(amounts)):
        out[r, 0], out[r, 1], out[r, 2] = quote(row, *ends, amounts[r])


def measure_floats() -> list[Row]:
    """Time batches of float quotes; the figures are per quote."""
    out = np.empty((BATCH, 3))
    parts = np.linspace(1.0, 2.0, BATCH)
    volatile, stable = (np.array(solidly.as_row(SOLIDLY[form])) for form in VOLATILE_FIRST)
    tripool = np.array(curve.as_row(TRIPOOL))
    weighted = np.array(balancer_weighted.as_row(WEIGHTED, token_in=0, token_out=1))
    batches: dict[str, tuple[Any, ...]] = {
        "solidly_volatile": (solidly_kernel.solidly_quote, volatile, (0,), parts * 1e20),
        "solidly_stable": (solidly_kernel.solidly_quote, stable, (0,), parts * 1e20),
        "curve_3": (stable_kernel.stable_swap_quote, tripool, (0, 1), parts * 1e23),
        "weighted": (weighted_kernel.weighted_quote, weighted, (), parts * 1e22),
    }
    rows = []
    for name, batch in batches.items():
        durations_ns = time_calls([partial(_quote_all, *batch, out)] * 1_000)[WARM_UP_CALLS:]
        assert bool((out[:, 0] > 0).all())
        rows.append(row(f"pools.{name}.float", durations_ns / BATCH))
    return rows


def measure_all() -> list[Row]:
    """Run every measure of these pools; the integrator's runner calls this."""
    return measure_floats() + measure_exact()


if __name__ == "__main__":
    print(machine())
    print_table(measure_all())
