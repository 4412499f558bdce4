"""Advice is checked where it comes in: what cannot be meant is refused in a sentence."""

import math
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.advice import (
    ADVICE_MAX,
    AnyAdvice,
    BlockTimeAdvice,
    DatedAdvice,
    GasAdvice,
    InclusionAdvice,
    PathAdvice,
    PoolsAdvice,
    PriorityAdvice,
    ShapeGasAdvice,
    ShapeOffAdvice,
    ThresholdProposal,
    TipAdvice,
    check_advice,
)
from engine.domain.errors import BadValueError

DAY_NS = 86_400 * 10**9


def dated(advice: AnyAdvice, until_ns: int = 1) -> DatedAdvice:
    return DatedAdvice(discovery=1, until_ns=until_ns, advice=advice)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TipAdvice(chain="base", tip_gwei=math.nan),
        lambda: TipAdvice(chain="base", tip_gwei=-0.1),
        lambda: TipAdvice(chain="base", tip_gwei=math.inf),
        lambda: TipAdvice(chain="", tip_gwei=1.0),
        lambda: TipAdvice(chain="b" * 200, tip_gwei=1.0),
        lambda: TipAdvice(chain="ba\nse", tip_gwei=1.0),
        lambda: GasAdvice(chain="base", ratio=0.99),
        lambda: GasAdvice(chain="base", ratio=6.0),
        lambda: ShapeGasAdvice(chain="base", shape="uniswap_v2 > curve", ratio=0.99),
        lambda: ShapeGasAdvice(chain="base", shape="", ratio=1.0),
        lambda: ShapeOffAdvice(chain="base", shape="uniswap_v2 > curve", why=""),
        lambda: ShapeOffAdvice(chain="base", shape="uniswap_v2 > curve", why="two\nlines"),
        lambda: BlockTimeAdvice(chain="base", block_ms=0.0, heard_ms=1.0, jitter_ms=1.0),
        lambda: InclusionAdvice(chain="base", edges_usd=(), ratios=()),
        lambda: InclusionAdvice(chain="base", edges_usd=(1.0, 1.0), ratios=((0.5,), (0.5,))),
        lambda: InclusionAdvice(chain="base", edges_usd=(1.0,), ratios=((1.5,),)),
        lambda: InclusionAdvice(chain="base", edges_usd=(1.0,), ratios=((0.2, 0.4),)),
        lambda: InclusionAdvice(chain="base", edges_usd=(1.0,), ratios=((),)),
        lambda: PoolsAdvice(chain="base", weights=()),
        lambda: PoolsAdvice(chain="base", weights=(("0xa", 0.0),)),
        lambda: PoolsAdvice(chain="base", weights=(("0xa", 1.0), ("0xa", 2.0))),
        lambda: PathAdvice(chain="base", tokens=("A", "B"), pools=("0xa",)),
        lambda: PathAdvice(chain="base", tokens=("A", "A"), pools=("0xa", "0xb")),
        lambda: PathAdvice(chain="base", tokens=tuple("ABCDEF"), pools=tuple("abcdef")),
        lambda: PriorityAdvice(ratio=0.0),
        lambda: PriorityAdvice(hour=24, ratio=0.5),
        lambda: ThresholdProposal(term="net_edge_bps_min", value=math.inf, why="x"),
        lambda: dated(TipAdvice(chain="base", tip_gwei=1.0), until_ns=2**63),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BadValueError):
        make()


def test_a_set_is_bounded_and_says_nothing_twice_and_nothing_for_ever() -> None:
    tips = [dated(TipAdvice(chain=f"c{n}", tip_gwei=1.0)) for n in range(ADVICE_MAX + 1)]
    with pytest.raises(BadValueError, match="at most 256"):
        check_advice(tuple(tips), at_ns=0)
    with pytest.raises(BadValueError, match="about the same"):
        check_advice((tips[0], tips[0]), at_ns=0)
    with pytest.raises(BadValueError, match="more than 86400 s"):
        check_advice((dated(TipAdvice(chain="base", tip_gwei=1.0), DAY_NS + 1),), at_ns=0)
    check_advice(tuple(tips[:ADVICE_MAX]), at_ns=0)


def test_a_probability_is_that_of_the_greatest_profit_that_is_reached() -> None:
    advice = InclusionAdvice(
        chain="base", edges_usd=(1.0, 10.0), ratios=((0.9, 0.5), (0.4, 0.3, 0.1))
    )

    assert advice.ratio(0.5, 1) == advice.ratio(9.99, 1) == 0.9
    assert advice.ratio(10.0, 2) == 0.3
    assert advice.ratio(10.0, 9) == 0.1
    assert advice.ratio(5.0, 0) == 0.9


@given(st.floats(1, 6e5), st.floats(0, 6e5), st.floats(0, 6e5))
def test_no_measured_time_sends_into_the_past(block: float, heard: float, jitter: float) -> None:
    advice = BlockTimeAdvice(chain="base", block_ms=block, heard_ms=heard, jitter_ms=jitter)

    assert 0.0 <= advice.send_within_ms <= advice.block_ms < advice.late_ms


def test_it_is_read_back_as_it_was_written_and_unknown_kinds_are_not() -> None:
    advice = dated(PathAdvice(chain="base", tokens=("A", "B"), pools=("0xa", "0xb")))

    text = msgspec.json.encode(advice)

    assert msgspec.json.decode(text, type=DatedAdvice) == advice
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text.replace(b"PathAdvice", b"MoneyAdvice"), type=DatedAdvice)
