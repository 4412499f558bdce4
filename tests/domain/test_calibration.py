"""What is told as probable is judged by what came; what may be called 95 % is earned."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.calibration.cases import all_judged, arbitrages
from benchmarks.calibration.fitting import venn_abers
from engine.domain import claims
from engine.domain.calibration import CLAIM, Evidence, judge, may_be_called, wilson
from engine.domain.claims import CLAIMS
from engine.domain.errors import BadValueError

ROOT = Path(__file__).resolve().parents[2]

SAID = re.compile(r"95\s?%|\b0\.95\b|19 times (of|out of) 20|\b95 percent")
"""Whoever says so of something has to stand in the list below, with what makes it true."""

MAY_SAY = {
    "engine/domain/calibration.py": "the rule itself, and its intervals",
    "engine/domain/claims.py": "the list of the rule",
    "engine/background/effects.py": "a confidence sequence, whose coverage a test tries",
    "engine/agents/gas_costs.py": "a bound that acts only while a wager says that it holds",
    "engine/operate/trend.py": "a quantile of Student's t",
    "engine/sandbox/relay/rivals.py": "how often a made-up rival is awake",
    "bot/render/work.py": "a goal for the use of processor time",
}


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=300))
def test_groups_part_all_cases_and_hold_what_came(cases: list[tuple[float, bool]]) -> None:
    told, came = [one for one, _ in cases], [is_so for _, is_so in cases]

    found = judge(told, came, base=0.5)

    assert sum(one.n for one in found.bins) == len(cases)
    assert sum(round(one.n * one.held) for one in found.bins) == sum(came)
    assert all(one.low <= one.held <= one.high for one in found.bins)
    assert [one.told for one in found.bins] == sorted(one.told for one in found.bins)


def test_scores_are_those_of_the_book() -> None:
    told, came = [0.9, 0.8, 0.3, 0.1], [True, False, False, False]

    found = judge(told, came, base=0.25)

    assert found.brier == pytest.approx((0.01 + 0.64 + 0.09 + 0.01) / 4)
    assert found.base_brier == pytest.approx((0.5625 + 3 * 0.0625) / 4)
    assert wilson(96, 100) == pytest.approx((0.9016, 0.9843), abs=1e-4)


def test_a_share_that_merely_looks_like_95_percent_is_not_called_so() -> None:
    seen = Evidence(n=1_000, is_calibrated=True, called_n=200, called_held=192)

    assert not may_be_called(seen)
    assert may_be_called(replace(seen, called_held=198))
    assert not may_be_called(replace(seen, called_held=200, is_calibrated=False))
    assert not may_be_called(replace(seen, called_n=0, called_held=0))
    assert not may_be_called(None)


def test_few_cases_calibrate_nothing_however_well_they_came() -> None:
    told, came = [0.99] * 100 + [0.01] * 90, [True] * 100 + [False] * 90

    assert not judge(told, came, base=0.5).is_calibrated
    assert judge(told * 2, came * 2, base=0.5).is_calibrated


def test_who_is_no_better_than_one_share_for_all_is_not_calibrated() -> None:
    assert not judge([0.5] * 400, [True, False] * 200, base=0.5).is_calibrated


def test_who_is_too_sure_is_not_calibrated() -> None:
    told = [0.999] * 200 + [0.001] * 200
    came = [n % 10 != 0 for n in range(200)] + [n % 10 == 0 for n in range(200)]

    assert not judge(told, came, base=0.5).is_calibrated


@pytest.mark.parametrize("bad", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(BadValueError, match="is no probability"):
        judge([bad], [True], base=0.5)


def test_two_isotonic_fits_hold_the_probability_between_them() -> None:
    scores = [float(n) for n in range(40)]
    tell = venn_abers(scores, [n % 3 != 0 if n < 20 else True for n in range(40)])

    low, high = tell(5.0), tell(35.0)

    assert 0 <= low.low <= low.one <= low.high < high.low <= high.one <= high.high <= 1
    assert high.low < 1.0  # it has seen only so many


def test_the_list_of_claims_is_what_is_worked_out_anew() -> None:
    assert len(arbitrages()) == 1_058
    assert sum(not one.has_gained for one in arbitrages()) == 334

    judged = {one.name: one.reliability.evidence for one in all_judged()}

    assert judged == dict(CLAIMS)


def test_the_page_shows_the_figures_that_are_worked_out_anew() -> None:
    from benchmarks.calibration.__main__ import MARK, PAGE, table_of  # noqa: PLC0415 - draws

    page = PAGE.read_text(encoding="utf-8")

    assert page.partition(MARK)[2].strip() == table_of(all_judged()).strip(), "make calibration"


def test_what_no_model_stands_behind_is_told_as_uncalibrated() -> None:
    assert claims.told(0.97, "somebody") == "97% uncalibrated"
    assert not claims.may_tell(0.5, "somebody")


def test_a_calibrated_model_tells_95_percent_only_by_the_rule() -> None:
    assert claims.told(0.5, "after_gas").startswith("50%, n ")
    assert claims.may_tell(0.97, "after_gas") == may_be_called(CLAIMS["after_gas"])
    if not may_be_called(CLAIMS["after_gas"]):
        assert claims.told(0.97, "after_gas").startswith("under 95%")
    assert CLAIM == 0.95


def test_nobody_else_says_95_percent_in_the_product() -> None:
    said = {
        str(path.relative_to(ROOT))
        for tree in ("engine", "bot")
        for path in (ROOT / tree).rglob("*.py")
        if SAID.search(path.read_text(encoding="utf-8"))
    }

    assert said <= set(MAY_SAY), "let domain/claims.py say it, or say here what makes it true"
    assert set(MAY_SAY) <= said, "it says so no more"
