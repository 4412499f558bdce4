"""What no pool can be is refused by name, and screened to nothing if it slips in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine.domain.errors import BadValueError
from engine.kernels import solidly as solidly_kernel
from engine.kernels import stable_swap as stable_kernel
from engine.kernels import weighted as weighted_kernel
from engine.pools import balancer_stable, balancer_weighted, curve, solidly, tricrypto, whirlpool
from engine.pools.balancer_stable import InvariantForm
from engine.pools.curve_math import ProductForm
from engine.pools.solidly import SolidlyForm
from tests.pools.curve_recordings import recorded_tricrypto

NAN, INF = float("nan"), float("inf")

SOLIDLY: dict[str, Any] = {
    "pool": "P",
    "form": SolidlyForm.STABLE,
    "tokens": ("A", "B"),
    "reserves_raw": (10**24, 10**12),
    "decimals": (18, 6),
    "fee_e6": 500,
}
CURVE: dict[str, Any] = {
    "pool": "P",
    "tokens": ("A", "B", "C"),
    "balances_raw": (10**24, 10**12, 10**12),
    "decimals": (18, 6, 6),
    "amp": 2_000,
    "amp_precision": 1,
    "fee_e10": 4_000_000,
}
STABLE: dict[str, Any] = {
    "pool": "P",
    "tokens": ("A", "B"),
    "balances_raw": (10**24, 10**12),
    "decimals": (18, 6),
    "rates_e18": (10**18, 10**18),
    "amp": 200_000,
    "fee_e18": 4 * 10**14,
    "form": InvariantForm.ROUND_DOWN,
}
WEIGHTED: dict[str, Any] = {
    "pool": "P",
    "tokens": ("A", "B"),
    "balances_raw": (10**24, 10**12),
    "decimals": (18, 6),
    "weights_e18": (8 * 10**17, 2 * 10**17),
    "fee_e18": 10**15,
    "has_shortcuts": True,
}
WHIRLPOOL: dict[str, Any] = {
    "pool": "P",
    "tokens": ("A", "B"),
    "tick_spacing": 64,
    "fee_e6": 3_000,
    "liquidity": 10**12,
    "sqrt_price_x64": 1 << 64,
    "tick": 0,
    "ticks": (-640, 640),
    "nets": (10**12, -(10**12)),
    "array_starts": (-5632, 0),
}
MAKERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "solidly": (solidly.make_solidly, SOLIDLY),
    "curve": (curve.make_curve, CURVE),
    "balancer stable": (balancer_stable.make_stable, STABLE),
    "balancer weighted": (balancer_weighted.make_weighted, WEIGHTED),
    "whirlpool": (whirlpool.make_whirlpool, WHIRLPOOL),
}
ANY = tuple(MAKERS)
WITH_BALANCES = ANY[1:4]

BAD: list[tuple[tuple[str, ...], dict[str, Any], str]] = [
    (ANY, {"tokens": ("A", "A")}, "token A twice in pool P|3 tokens|decimals for 2 tokens"),
    (ANY, {"tokens": ("A", "")}, "has no name"),
    (ANY, {"tokens": ("A",)}, "1 tokens in pool P"),
    (ANY, {"tokens": tuple("ABCDEFGHI")}, "9 tokens in pool P"),
    (("solidly",), {"reserves_raw": (0, 10**12)}, "reserve of A in pool P"),
    (("solidly",), {"reserves_raw": (NAN, 10**12)}, "reserve of A .* nan is not a whole number"),
    (("solidly",), {"reserves_raw": (10**24, INF)}, "inf is not a whole number"),
    (("solidly",), {"reserves_raw": (10**24, 1 << 113)}, "reserve of B"),
    (("solidly",), {"reserves_raw": (-1, 10**12)}, "-1 is outside"),
    (("solidly",), {"reserves_raw": (1, 1)}, "invariant rounds to 0"),
    (("solidly",), {"reserves_raw": (10**31, 10**19)}, "pool P cannot trade: invariant of"),
    (("solidly",), {"fee_e6": 10**6}, "fee of pool P .* 1000000 is outside"),
    (("solidly",), {"fee_e6": 0.003}, "0.003 is not a whole number"),
    (ANY[:4], {"decimals": (0, 6)}, "decimals of A 0 is outside|2 decimals for 3 tokens"),
    (ANY[:4], {"decimals": (18, 30)}, "decimals of B 30 is outside|2 decimals for 3 tokens"),
    (("curve",), {"decimals": (18, 30, 6)}, "decimals of B 30 is outside"),
    (("curve",), {"decimals": (18, 6, 0)}, "decimals of C 0 is outside"),
    (WITH_BALANCES, {"balances_raw": (1, 2, 3, 4, 5)}, "5 balances for"),
    (("curve",), {"balances_raw": (10**24, 0, 10**12)}, "balance of B in pool P, in raw units, 0"),
    (("curve",), {"balances_raw": (10**24, NAN, 10**12)}, "nan is not a whole number"),
    (("curve",), {"balances_raw": (1 << 127, 1, 1)}, "pool P cannot trade"),
    (("curve",), {"amp": 0}, "amplification of pool P 0 is outside"),
    (("curve",), {"amp": 10**9}, "amplification of pool P 1000000000 is outside"),
    (("curve",), {"amp_precision": 1_000}, "amplification precision 1000 of pool P"),
    (("curve",), {"fee_e10": 10**10}, "fee of pool P times 10\\*\\*10 10000000000 is outside"),
    (("curve",), {"coin_rates_e18": (10**18, 0, 10**18)}, "rate of B 0 is outside"),
    (("curve",), {"coin_rates_e18": (10**18,)}, "1 rates for 3 tokens"),
    (("curve",), {"form": ProductForm.PAIR}, "3 coins with the formula for a pair"),
    (("curve",), {"offpeg_e10": -1}, "off-peg multiplier of the fee of pool P .* -1 is outside"),
    (("curve",), {"offpeg_e10": 1.5e10}, "15000000000.0 is not a whole number"),
    (("curve",), {"offpeg_e10": 1 << 200, "fee_e10": 0}, "off-peg multiplier of the fee"),
    (("curve",), {"offpeg_e10": 1251 * 10**10}, "would rise off the peg to 5004000000 of 10"),
    (("balancer stable",), {"balances_raw": (0, 10**12)}, "balance of A"),
    (("balancer stable",), {"balances_raw": (1 << 111, 1)}, "pool P cannot trade"),
    (("balancer stable",), {"amp": 0}, "amplification of pool P times 1000 0 is outside"),
    (("balancer stable",), {"rates_e18": (10**18, 0)}, "rate of B 0 is outside"),
    (("balancer stable",), {"fee_e18": 10**18}, "fee of pool P"),
    (("balancer weighted",), {"balances_raw": (10**24, 0)}, "balance of B"),
    (("balancer weighted",), {"balances_raw": (INF, 10**12)}, "inf is not a whole number"),
    (("balancer weighted",), {"weights_e18": (8 * 10**17, 10**17)}, "add up to 9000"),
    (("balancer weighted",), {"weights_e18": (10**18, 0)}, "weight of B in pool P"),
    (("balancer weighted",), {"fee_e18": 10**18}, "fee of pool P"),
    (("whirlpool",), {"liquidity": -1}, "liquidity of pool P -1 is outside"),
    (("whirlpool",), {"liquidity": NAN}, "nan is not a whole number"),
    (("whirlpool",), {"liquidity": 1 << 128}, "liquidity of pool P"),
    (("whirlpool",), {"sqrt_price_x64": 1}, "square root of price of pool P 1 is outside"),
    (("whirlpool",), {"fee_e6": 10**6}, "fee of pool P"),
    (("whirlpool",), {"tick": 5}, "tick 5 of pool P is not that of its price"),
    (("whirlpool",), {"tick_spacing": 0}, "tick spacing of P 0 is outside"),
    (("whirlpool",), {"ticks": (640, -640)}, "ticks of pool P do not rise: 640, -640"),
    (("whirlpool",), {"ticks": (-640, -640)}, "do not rise"),
    (("whirlpool",), {"ticks": (-640, 641)}, "tick 641 of pool P is no multiple of 64"),
    (("whirlpool",), {"ticks": (-640, 6400)}, "initialised tick of pool P 6400 is outside"),
    (("whirlpool",), {"nets": (10**12,)}, "1 net liquidities for 2 tokens"),
    (("whirlpool",), {"array_starts": ()}, "no known tick array"),
    (("whirlpool",), {"array_starts": (-5632, 5632)}, "are no neighbours"),
    (("whirlpool",), {"array_starts": (-5000, 0)}, "no multiple of 5632"),
]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [(name, change, message) for names, change, message in BAD for name in names],
)
def test_a_pool_that_cannot_be_is_refused_by_name(
    name: str, change: dict[str, Any], message: str
) -> None:
    make, values = MAKERS[name]

    with pytest.raises(BadValueError, match=message):
        make(**(values | change))


@pytest.mark.parametrize("name", ANY)
def test_the_values_that_the_bad_ones_replace_make_a_pool(name: str) -> None:
    make, values = MAKERS[name]
    ask, ask_in = _forms(name)
    state = make(**values)

    paid = ask(state, 10**6, token_in=0, token_out=1)

    assert paid >= 0
    assert ask_in(state, 10**3, token_in=0, token_out=1) > 0


@pytest.mark.parametrize("name", ANY)
@pytest.mark.parametrize(
    ("amount", "token_in", "token_out"),
    [
        (0, 0, 1),
        (-1, 0, 1),
        (1 << 256, 0, 1),
        (1.5, 0, 1),
        (NAN, 0, 1),
        (True, 0, 1),
        (10**6, 0, 0),
        (10**6, 0, 5),
        (10**6, -1, 0),
    ],
)
def test_a_swap_that_no_contract_takes_is_refused(
    name: str, amount: Any, token_in: int, token_out: int
) -> None:
    make, values = MAKERS[name]
    state = make(**values)

    for ask in _forms(name):
        with pytest.raises(BadValueError):
            ask(state, amount, token_in=token_in, token_out=token_out)


@pytest.mark.parametrize("name", ANY)
def test_more_than_a_pool_can_pay_or_take_is_refused(name: str) -> None:
    make, values = MAKERS[name]
    ask, ask_in = _forms(name)
    state = make(**values)

    with pytest.raises(BadValueError):
        ask_in(state, 10**60, token_in=0, token_out=1)
    if name not in ("solidly", "curve", "balancer stable"):
        with pytest.raises(BadValueError):
            ask(state, 10**40, token_in=0, token_out=1)
    with pytest.raises(BadValueError):
        ask(state, (1 << 256) - 1, token_in=0, token_out=1)


def test_a_tricrypto_pool_outside_its_safe_bounds_is_refused() -> None:
    state = recorded_tricrypto()

    with pytest.raises(BadValueError, match="too far from the invariant"):
        tricrypto.amount_out(state, 10**18, token_in=0, token_out=1)
    with pytest.raises(BadValueError):
        tricrypto.amount_out(state, 0, token_in=0, token_out=1)


BAD_NUMBERS = (NAN, INF, -INF, -1.0, 0.0, 1e300, -1e300)


def _is_nothing(found: tuple[float, ...]) -> bool:
    return all(np.isfinite(found)) and found[0] >= 0.0


@pytest.mark.parametrize("bad", BAD_NUMBERS)
def test_kernels_answer_nothing_to_rows_with_one_bad_number(bad: float) -> None:
    solid = np.array(solidly.as_row(solidly.make_solidly(**SOLIDLY)))
    stable = np.array(curve.as_row(curve.make_curve(**CURVE)))
    weights = np.array(
        balancer_weighted.as_row(
            balancer_weighted.make_weighted(**WEIGHTED), token_in=0, token_out=1
        )
    )
    for column in range(len(solid)):
        row = solid.copy()
        row[column] = bad
        found = solidly_kernel.solidly_quote(row, 0, 1e18)
        harmless = column in (solidly_kernel.IS_STABLE, solidly_kernel.FEE_RATIO)
        assert _is_nothing(found)
        assert harmless or found == (0.0, 0.0, 0.0)
    for column in range(len(stable)):
        row = stable.copy()
        row[column] = bad
        found = stable_kernel.stable_swap_quote(row, 0, 1, 1e18)
        used = column in (0, 3, 4, 5, 6, 7, 10, 11)
        assert _is_nothing(found)
        assert not used or found == (0.0, 0.0, 0.0)
    for column in range(len(weights)):
        row = weights.copy()
        row[column] = bad
        found = weighted_kernel.weighted_quote(row, 1e18)
        harmless = column in (weighted_kernel.FEE_RATIO, weighted_kernel.POWER_ERROR_RATIO)
        assert _is_nothing(found)
        assert harmless or found == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("bad", [NAN, INF, -INF, -1.0, 1e300])
def test_kernels_answer_nothing_to_amounts_that_cannot_be(bad: float) -> None:
    solid = np.array(solidly.as_row(solidly.make_solidly(**SOLIDLY)))
    stable = np.array(balancer_stable.as_row(balancer_stable.make_stable(**STABLE)))
    weights = np.array(
        balancer_weighted.as_row(
            balancer_weighted.make_weighted(**WEIGHTED), token_in=0, token_out=1
        )
    )

    for found in (
        solidly_kernel.solidly_quote(solid, 0, bad),
        stable_kernel.stable_swap_quote(stable, 0, 1, bad),
        weighted_kernel.weighted_quote(weights, bad),
    ):
        assert found == (0.0, 0.0, 0.0)
    for token_in, token_out in ((0, 0), (0, 2), (-1, 0), (7, 1)):
        assert stable_kernel.stable_swap_quote(stable, token_in, token_out, 1.0)[0] == 0.0
    for token_in in (-1, 2, 7):
        assert solidly_kernel.solidly_quote(solid, token_in, 1.0)[0] == 0.0


def _forms(name: str) -> tuple[Callable[..., int], Callable[..., int]]:
    module: Any = {
        "solidly": solidly,
        "curve": curve,
        "balancer stable": balancer_stable,
        "balancer weighted": balancer_weighted,
        "whirlpool": whirlpool,
    }[name]
    return module.amount_out, module.amount_in
