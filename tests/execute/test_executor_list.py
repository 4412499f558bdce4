"""An executor is a file and a line in the list; the type of a plan says which one takes it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

import msgspec
import pytest

from engine.domain.assets import AssetCode
from engine.domain.errors import FatalError
from engine.domain.opportunities import Opportunity
from engine.domain.orders import Execution, Intent
from engine.domain.permits import Permit
from engine.domain.plans import Plan
from engine.domain.stories import NO_WORTH, TradeStory
from engine.execute.executor import NEVER_NS
from engine.execute.executor_list import EXECUTORS
from engine.execute.finished import Finished, Found
from engine.execute.order_life import News
from engine.execute.plan_executor import Around
from tests.reference.gaps import make_gap
from tests.reference.world import Setup, World, make_instrument


class PretendPlan(msgspec.Struct, frozen=True, kw_only=True):
    plan_id: str
    opportunity: Opportunity
    due_ns: int
    permit: Permit | None = None
    is_live: bool = False


@dataclass(frozen=True)
class PretendFinished:
    plan: Plan
    execution: Execution

    def booked(self, execution: Execution) -> "PretendFinished":
        return PretendFinished(self.plan, execution)

    def story(self, found: Found | None = None) -> TradeStory:
        del found
        return TradeStory(
            found=NO_WORTH,
            to_sized=(),
            sized=NO_WORTH,
            to_realised=(),
            realised=NO_WORTH,
            gross=NO_WORTH,
            fee=NO_WORTH,
            transfer=NO_WORTH,
            orders=(),
        )


@dataclass
class PretendExecutor:
    """Ends each plan when it is due."""

    around: Around
    takes: type = PretendPlan
    is_live: bool = False
    next_at_ns: int = NEVER_NS
    plans: list[PretendPlan] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)

    def start(self, plan: PretendPlan, at_ns: int) -> None:
        del at_ns
        self.plans.append(plan)
        self.next_at_ns = plan.due_ns

    def recover(self, intent: Intent, at_ns: int) -> None:
        pass

    def stored(self, client_order_id: str, at_ns: int) -> None:
        pass

    def knows(self, client_order_id: str) -> bool:
        return client_order_id == "pretended"

    def on_news(self, news: News, at_ns: int) -> None:
        pass

    def advance(self, at_ns: int) -> Sequence[Finished]:
        self.next_at_ns = NEVER_NS
        ended, self.plans = self.plans, []
        return [PretendFinished(cast("Plan", plan), execution_of(plan, at_ns)) for plan in ended]


def execution_of(plan: PretendPlan, at_ns: int) -> Execution:
    return Execution(
        execution_id=f"{plan.plan_id}-x",
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        closed_at_ns=at_ns,
        orders=(),
        quote=AssetCode("USD"),
        profit_quote=Decimal(0),
        profit_usd=Decimal(0),
        expected_usd=Decimal(0),
    )


def plan_due(world: World, due_ns: int) -> Plan:
    here = make_instrument("here")
    plan = PretendPlan(plan_id="pretend", opportunity=make_gap(here, here), due_ns=due_ns)
    assert world.now_ns < due_ns
    return cast("Plan", plan)


def test_a_pretend_executor_is_added_by_a_line_and_takes_the_plans_of_its_type() -> None:
    world = World(Setup(executors=(*EXECUTORS, PretendExecutor)))
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])
    due_ns = world.now_ns + 5_000_000
    world.executors.start(plan_due(world, due_ns), world.now_ns)

    finished = world.executors.advance(world.now_ns + 20_000_000)

    assert [one.plan.plan_id for one in finished] == ["pretend", "r1-1-p"], "in the order of time"
    assert finished[0].execution.closed_at_ns == due_ns


def test_a_plan_that_no_executor_takes_ends_the_engine() -> None:
    world = World()

    with pytest.raises(FatalError, match="no executor takes PretendPlan: pretend"):
        world.executors.start(plan_due(world, world.now_ns + 1), world.now_ns)
