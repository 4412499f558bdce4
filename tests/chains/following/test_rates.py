"""What swaps give at the margin, as research is told."""

import json
import math

import pytest

from engine.chains.following.held import Held
from engine.chains.following.rates import log_rates
from engine.pools.snapshots import parse
from tests.chains.following.made_up import make_state
from tests.pools.test_snapshots import OTHERS


@pytest.mark.parametrize("number", [1, 3])
def test_each_direction_is_told_after_its_fee(number: int) -> None:
    state = make_state(number)
    rates = {
        (source, target): rate
        for source, target, rate in log_rates(Held(state.pool, state.row, state.state))
    }

    assert set(rates) == {("ETH", "USD"), ("USD", "ETH")}
    both = rates["ETH", "USD"] + rates["USD", "ETH"]
    assert both == pytest.approx(2 * math.log(1 - float(state.pool.fee_ratio)), abs=1e-9)


def test_a_fee_that_rises_off_the_peg_is_taken_as_it_is_there() -> None:
    text, _ = OTHERS["curve"]
    row = text["row"] | {"balances_raw": [str(10**24), str(3 * 10**12)], "offpeg_e10": 5 * 10**10}
    told = parse(json.dumps(text | {"row": row}))
    rates = log_rates(Held(told.pool, told.row, told.row.state(told.pool)))

    # at three to one the fee of 0.3 % is times 5 / (4 x 0.75 + 1)
    both = sum(rate for _, _, rate in rates)
    assert both == pytest.approx(2 * math.log(1 - 0.003 * 1.25), abs=1e-9)


def test_a_pair_of_reserves_has_their_ratio_in_whole_units() -> None:
    state = make_state(1)  # 1,000 ETH and 2,000,000 USD
    rate = {one[0]: one[2] for one in log_rates(Held(state.pool, state.row, state.state))}

    assert math.exp(rate["ETH"]) == pytest.approx(2_000 * (1 - float(state.pool.fee_ratio)))
