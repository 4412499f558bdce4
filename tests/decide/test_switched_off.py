"""What the operator switched off is in no new plan, whatever it shows and whoever permits it."""

from decimal import Decimal

import pytest

from engine.domain.approvals import ApprovalAct, ApprovalState
from engine.domain.assets import AssetCode
from engine.domain.mandates import Mandate, Scope, ScopeKind
from engine.domain.modes import Mode
from engine.domain.opportunities import Refusal, route_of
from engine.domain.switched_off import Off
from tests.decide.test_approvals import asked, asking, open_gap, say, settle, states
from tests.reference.world import SECOND, START_NS, Setup, World, make_instrument

BTC, USD, ETH = AssetCode("BTC"), AssetCode("USD"), AssetCode("ETH")
THERE = Off(name="there", since_ns=START_NS)
BTC_USD = Off(name="BTC-USD", assets=(BTC, USD), since_ns=START_NS)
USD_BTC = Off(name="USD-BTC", assets=(USD, BTC), since_ns=START_NS)


def switch(world: World, *off: Off) -> None:
    """One input: all that is off."""
    world.pipeline.before_input(world.now_ns)
    world.pipeline.switch_off(off, world.now_ns)
    world.pipeline.after_input(world.now_ns)


@pytest.mark.parametrize(
    ("off", "detail"),
    [
        (THERE, "venue there is off"),
        (BTC_USD, "pair BTC-USD is off"),
        (USD_BTC, "pair USD-BTC is off"),
    ],
)
def test_a_route_through_what_is_off_is_found_and_told_and_never_planned(
    off: Off, detail: str
) -> None:
    world = World()
    switch(world, off)

    open_gap(world)

    (decided,) = world.journal.decided
    assert isinstance(decided.decision, Refusal)
    assert (decided.decision.reason.value, decided.decision.detail) == ("switched_off", detail)
    line = next(x for x in world.decider.limit_lines(world.now_ns) if x.name == "switched off")
    assert (line.used, line.refusals) == ("1", 1)


def test_what_is_on_again_is_planned_from_the_next_decision_on() -> None:
    world = World()
    switch(world, THERE, BTC_USD)
    open_gap(world)
    switch(world, BTC_USD)
    world.wait(1_100)
    open_gap(world)
    assert world.journal.plans == []

    switch(world)
    world.wait(1_100)
    open_gap(world)

    assert len(world.journal.plans) == 1


def test_a_leg_in_the_middle_of_a_route_counts() -> None:
    instruments = [
        make_instrument("here"),
        make_instrument("here", "ETH-USD"),
        make_instrument("here", "ETH-BTC", price_decimals=6, tick="0.000001"),
    ]
    levels = [("100.00", "9"), ("10.00", "90"), ("0.110000", "90")]

    def show(world: World) -> None:
        for book, (price, size) in enumerate(levels):
            above = f"{float(price) * 1.0001:.6f}" if book == 2 else f"{float(price) + 0.01:.2f}"
            world.show(book, [(price, size)], [(above, size)])

    free = World(Setup(instruments=instruments))
    show(free)
    assert any(len(one.hops) == 3 for one in free.journal.found)
    assert free.journal.plans

    for assets in ((ETH, BTC), (BTC, ETH)):
        world = World(Setup(instruments=instruments))
        switch(world, Off(name="-".join(assets), assets=assets, since_ns=START_NS))
        show(world)
        assert world.journal.found
        assert world.journal.plans == []


def test_a_plan_under_way_ends_as_it_would() -> None:
    world = World()
    open_gap(world)
    (plan,) = world.journal.plans

    switch(world, THERE, BTC_USD)
    settle(world)

    (finished,) = world.journal.finished
    assert finished.plan == plan
    assert finished.execution.is_traded


def test_what_waits_for_a_person_is_void_at_once_and_says_why() -> None:
    world = asking()
    open_gap(world)
    approval = asked(world)

    switch(world, Off(name="elsewhere", since_ns=START_NS))
    assert states(world) == []
    switch(world, THERE)
    say(world, ApprovalAct.APPROVE, approval=approval)
    settle(world)

    (end,) = world.journal.answered
    assert (end.state, end.why) == (ApprovalState.VOID_OFF, "venue there was switched off")
    assert world.journal.intents == []
    switch(world)
    world.wait(1_100)
    open_gap(world)
    assert len(world.journal.asked) == 2, "nobody said no to the route"


@pytest.mark.parametrize(
    ("scope", "ended"),
    [
        (Scope(kind=ScopeKind.VENUE, name="there"), "venue there was switched off"),
        (Scope(kind=ScopeKind.VENUE, name="here"), ""),
        (Scope(kind=ScopeKind.PAIR, name="BTC-USD"), "pair USD-BTC was switched off"),
        (Scope(kind=ScopeKind.PAIR, name="ETH-USD"), ""),
        (Scope(kind=ScopeKind.STRATEGY, name="gap"), ""),
        (Scope(kind=ScopeKind.ANY), ""),
    ],
)
def test_a_mandate_that_names_it_ends_and_a_wider_one_covers_the_rest(
    scope: Scope, ended: str
) -> None:
    world = World(Setup(mode=Mode.APPROVE))
    grant(world, scope)

    switch(world, THERE if scope.kind is ScopeKind.VENUE else USD_BTC)
    open_gap(world)
    settle(world)

    assert [use.ended for use in world.journal.mandates if use.ended] == [ended] * bool(ended)
    assert world.journal.plans == []
    assert world.journal.asked == []


@pytest.mark.parametrize("off", [THERE, BTC_USD, USD_BTC])
def test_a_mandate_of_a_route_ends_with_any_of_its_legs(off: Off) -> None:
    world = asking()
    open_gap(world)
    route = route_of(asked(world).plan.opportunity)
    grant(world, Scope(kind=ScopeKind.ROUTE, name=route))
    near_miss = Off(name="ere", since_ns=START_NS)

    switch(world, near_miss)
    assert not any(use.ended for use in world.journal.mandates)
    switch(world, off)

    assert world.journal.mandates[-1].ended == f"{off.kind} {off.name} was switched off"


def grant(world: World, scope: Scope) -> None:
    mandate = Mandate(
        mandate_id="m1",
        by="me",
        scope=scope,
        each_usd_max=Decimal(1_000),
        total_usd_max=Decimal(9_000),
        edge_bps_min=Decimal(0),
        granted_at_ns=world.now_ns,
        expires_at_ns=world.now_ns + 600 * SECOND,
    )
    world.pipeline.grant(mandate)
