"""What newest blocks were paid, and the tip that follows of it."""

import json
import lzma
from csv import DictReader
from typing import Any

import pytest

from engine.chains.gas.base_fee import BASE_FEE_MAX_WEI
from engine.chains.gas.fee_history import BLOCKS, read_fee_history, tip_forecast_wei
from engine.domain.errors import BadValueError
from tests.chains.gas.backtest import PRICES, errors_bps, naive, ours

# ethereum/execution-apis, tests/eth_feeHistory/fee-history.io (CC0), with three percentiles
TOLD = json.loads(
    '{"oldestBlock":"0x1b","reward":[["0x0","0x1","0x2"]],"baseFeePerGas":["0x3b9aca00","0x342a385a"],'
    '"gasUsedRatio":[0.00072868],"baseFeePerBlobGas":["0x0","0x0"],"blobGasUsedRatio":[0]}'
)


def test_a_node_s_own_example_is_read() -> None:
    history = read_fee_history(TOLD)

    assert history.newest == 27
    assert history.next_base_fee_wei == 875_182_170
    (block,) = history.blocks
    assert (block.base_fee_wei, block.tip_wei, block.used_ratio) == (10**9, 1, 0.00072868)


@pytest.mark.parametrize(
    "change",
    [
        {"oldestBlock": None},
        {"oldestBlock": "0x" + "f" * 65},
        {"oldestBlock": "27"},
        {"oldestBlock": "0x-1"},
        {"oldestBlock": "0x1_0"},
        {"baseFeePerGas": None},
        {"baseFeePerGas": ["0x1"]},
        {"baseFeePerGas": ["0x1", "0x1", "0x1"]},
        {"baseFeePerGas": ["0x1", hex(BASE_FEE_MAX_WEI + 1)]},
        {"baseFeePerGas": [1, 1]},
        {"baseFeePerGas": {"0": "0x1"}},
        {"gasUsedRatio": []},
        {"gasUsedRatio": [1.5]},
        {"gasUsedRatio": [-0.1]},
        {"gasUsedRatio": [float("nan")]},
        {"gasUsedRatio": [float("inf")]},
        {"gasUsedRatio": [True]},
        {"gasUsedRatio": ["0.5"]},
        {"gasUsedRatio": [10**400]},
        {"reward": None},
        {"reward": []},
        {"reward": [[]]},
        {"reward": [["0x1", "0x2"]]},
        {"reward": [["0x0", "0x1", hex(BASE_FEE_MAX_WEI + 1)]]},
        {"reward": [["0x0", None, "0x1"]]},
        {"reward": ["0x1"]},
    ],
)
def test_what_cannot_be_a_history_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        read_fee_history({**TOLD, **change})


@pytest.mark.parametrize("said", [None, [], "0x", 7, {}, {"result": TOLD}])
def test_what_is_no_history_at_all_is_refused(said: Any) -> None:
    with pytest.raises(BadValueError):
        read_fee_history(said)


def test_more_blocks_than_were_asked_for_are_refused() -> None:
    count = BLOCKS + 1
    told: Any = {
        "oldestBlock": "0x1",
        "baseFeePerGas": ["0x1"] * (count + 1),
        "gasUsedRatio": [0.5] * count,
        "reward": [["0x0", "0x1", "0x2"]] * count,
    }

    with pytest.raises(BadValueError, match="21 blocks"):
        read_fee_history(told)


def test_the_newest_block_says_the_tip_and_an_absurd_one_only_doubles_it() -> None:
    assert tip_forecast_wei([5, 5, 5, 7]) == 7
    assert tip_forecast_wei([5, 5, 5, 10**15]) == 10
    assert tip_forecast_wei([5, 5, 5, 1]) == 1
    assert tip_forecast_wei([5, 5, 5, 1], least_wei=3) == 3
    assert tip_forecast_wei([], least_wei=3) == 3
    assert tip_forecast_wei([]) == 0


def test_on_recorded_prices_the_forecast_is_as_good_as_the_last_price() -> None:
    with lzma.open(PRICES, "rt") as file:
        prices = [round(float(row["gas_price"]) * 10**9) for row in DictReader(file)]
    assert len(prices) == 5_760

    forecast, last = errors_bps(prices, ours), errors_bps(prices, naive)

    assert forecast.p50 <= last.p50 * 1.01
    assert forecast.p90 <= last.p90 * 1.01
