"""A sample of the campaign that compares float kernels with exact forms."""

import json
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_S
from tests.pools.campaign_curves import run
from tests.pools.curve_states import PROTOCOLS


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_sample_of_the_campaign_finds_no_mismatch(protocol: str) -> None:
    tally = run(protocol, cases=8_000, seed=7)

    assert tally.mismatches == []
    assert tally.cases == 8_000
    assert tally.refused < tally.cases / 4  # else it would compare nothing
    assert tally.unseen < tally.cases / 100
    assert tally.edges < tally.cases / 1_000


@pytest.mark.slow
def test_the_campaign_prints_its_findings_as_json() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.pools.campaign_curves", "--cases", "500", "--seed", "3"],
        capture_output=True,
        check=True,
        text=True,
        timeout=PATIENCE_S,
    )

    report = json.loads(done.stdout)
    assert report.keys() == PROTOCOLS.keys()
    assert sum(one["cases"] for one in report.values()) == 500
