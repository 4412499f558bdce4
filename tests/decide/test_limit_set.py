"""Values of limits while a run goes on: tighter than the settings, never looser."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.render.safety import render_limits
from engine.decide.bounds.edge import EDGE_BPS
from engine.decide.bounds.position import POSITION_USD
from engine.decide.circumstances import Circumstances
from engine.decide.limit_list import LIMITS, SLIPPAGE_BPS, LimitMaker, terms_of
from engine.decide.limit_set import LimitSet, Term
from engine.decide.limits import Draft, Finding, Verdict
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Reason
from tests.bot import samples
from tests.reference.world import Setup, World, limit_set

NEAR = ([("100.00", "1")], [("100.10", "1")])
HIGH = ([("101.00", "1")], [("101.20", "1")])

LEGS_TERM = Term(name="legs_most", unit="legs", default=Decimal(5), is_whole=True)


@dataclass(slots=True)
class LegsLimit:
    """A limit that no other file knows: this is all that it takes."""

    limits: LimitSet
    name: str = "legs"
    unit: str = "legs"
    term: ClassVar[Term | None] = LEGS_TERM
    is_early: bool = True
    reasons: tuple[Reason, ...] = (Reason.OBSERVE_ONLY,)

    @classmethod
    def make(cls, run: Circumstances) -> "LegsLimit":
        return cls(run.limits)

    @property
    def limit(self) -> str:
        return f"{self.limits[LEGS_TERM]:f}"

    def used(self, at_ns: int) -> str:
        del at_ns
        return "2"

    def check(self, draft: Draft, at_ns: int) -> Verdict:
        del at_ns
        if len(draft.opportunity.hops) <= self.limits[LEGS_TERM]:
            return None
        return Finding(reason=Reason.OBSERVE_ONLY, detail="too many legs")


def open_gap(world: World) -> None:
    world.show(0, *NEAR)
    world.show(1, *HIGH)


def test_a_limit_is_one_class_and_one_line_shown_and_changed_without_more() -> None:
    limits: Sequence[LimitMaker] = (*LIMITS, LegsLimit)
    world = World(Setup(limits=limits, values=LimitSet(terms_of(limits))))

    world.decider.take_limits({"legs_most": Decimal(1)})
    open_gap(world)

    assert world.journal.reasons == [Reason.OBSERVE_ONLY]
    line = world.decider.limit_lines(world.now_ns)[-1]
    assert (line.name, line.limit, line.term, line.by_settings) == ("legs", "1", "legs_most", "5")
    screen = repr(render_limits(replace(samples.limits(), limits=[line])))
    assert "2 of 1 legs" in screen
    assert "legs_most is 1, by the settings 5" in screen


def test_a_limit_that_is_set_holds_from_the_next_decision_on() -> None:
    world = World()
    open_gap(world)
    assert len(world.journal.plans) == 1
    opportunity = world.journal.found[0]

    world.decider.take_limits({"position_usd": Decimal("0.01")})
    refused = world.decider.decide(opportunity, world.now_ns)
    world.decider.take_limits({})
    planned = world.decider.decide(opportunity, world.now_ns)

    assert getattr(refused, "reason", None) in {Reason.POSITION_LIMIT, Reason.SIZE_BELOW_MIN}
    assert getattr(planned, "legs", None)


def test_orders_may_cost_no_more_of_the_edge_than_the_edge_that_was_set() -> None:
    """The price limits of a plan leave the least edge, also one that was set since."""
    world = World(Setup(values=limit_set(slippage_bps_max=5_000)))
    world.decider.take_limits({"net_edge_bps_min": Decimal(60), "slippage_bps_max": Decimal(4_000)})

    open_gap(world)

    (plan,) = world.journal.plans
    buy, sell = plan.legs
    worst = (sell.price_limit / buy.price_limit * Decimal("0.998") - 1) * 10_000
    assert worst >= 59


SET = st.dictionaries(
    st.sampled_from([term.name for term in terms_of(LIMITS)]),
    st.integers(2, 20_000).map(Decimal),
)


@given(by_settings=SET, by_operator=SET)
def test_nothing_that_is_set_is_looser_than_the_settings(
    by_settings: dict[str, Decimal], by_operator: dict[str, Decimal]
) -> None:
    limits = LimitSet(terms_of(LIMITS), by_settings=by_settings, by_operator=by_operator)

    for term in terms_of(LIMITS):
        bound = by_settings.get(term.name, term.default)
        word = by_operator.get(term.name, bound)
        assert limits.by_settings(term) == bound
        assert limits[term] == (max(word, bound) if term.is_floor else min(word, bound))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("position_usd", "1000.01", "no more than 1000 USD: change SYNDICATE_LIMITS_POSITION_USD"),
        ("net_edge_bps_min", "9.9", "no less than 10 bps"),
        ("slippage_bps_max", "6", "SYNDICATE_PAPER_SLIPPAGE_BPS_MAX"),
        ("orders_per_minute_max", "1", "at least 2"),
        ("orders_per_minute_max", "2.5", "whole"),
        ("daily_loss_usd", "0", "above 0"),
        ("daily_loss_usd", "NaN", "above 0"),
        ("daily_loss_usd", "Infinity", "above 0"),
        ("daily_loss_usd", "-5", "above 0"),
        ("leverage", "2", "no limit leverage; there are age_ms_max, daily_loss_usd"),
    ],
)
def test_what_cannot_be_set_is_told_in_words(name: str, value: str, why: str) -> None:
    with pytest.raises(BadValueError) as refused:
        limit_set().with_one(name, Decimal(value))

    assert why in str(refused.value)


def test_the_value_of_the_settings_takes_an_earlier_word_back() -> None:
    limits = limit_set()
    limits.take(limits.with_one("position_usd", Decimal(10)))
    limits.take(limits.with_one("net_edge_bps_min", Decimal(20)))
    assert limits[POSITION_USD] == 10
    assert limits[EDGE_BPS] == 20

    limits.take(limits.with_one("position_usd", Decimal("1000.0")))

    assert limits.by_operator == {"net_edge_bps_min": 20}
    assert limits[POSITION_USD] == 1_000


def test_more_is_let_through_by_a_lower_edge_and_by_a_higher_amount() -> None:
    limits = limit_set()
    limits.take({"net_edge_bps_min": Decimal(20), "position_usd": Decimal(10)})

    def is_looser(name: str, value: int) -> bool:
        return limits.is_looser(limits.with_one(name, Decimal(value)))

    assert is_looser("net_edge_bps_min", 15)
    assert not is_looser("net_edge_bps_min", 20)
    assert is_looser("position_usd", 11)
    assert not is_looser("position_usd", 9)
    assert limits.is_looser({})


def test_a_word_that_makes_no_sense_changes_nothing() -> None:
    limits = limit_set()
    limits.take({"position_usd": Decimal(10)})

    with pytest.raises(BadValueError):
        limits.take({"position_usd": Decimal(20), "daily_loss_usd": Decimal(-1)})

    assert limits[POSITION_USD] == 10
    assert limits[SLIPPAGE_BPS] == 5
