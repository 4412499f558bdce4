"""What is shown is what is carried out, once, within its bounds, or nothing is."""

from decimal import Decimal

import msgspec
import pytest

from engine.bus.permit_reports import WaitingLine, WaitingReport
from engine.decide.approvals import PENDING_MAX, QUIET_S, ApprovalRules
from engine.decide.terms import cut_to_terms, worst_quote
from engine.domain.approvals import Approval, ApprovalAct, ApprovalState
from engine.domain.errors import FatalError
from engine.domain.faults import Fault
from engine.domain.mandates import Mandate, Scope, ScopeKind
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import Reason, Side
from engine.domain.permits import Permit, PermitKind, shown_digest
from engine.domain.plans import LeggedPlan, digest_of_plan
from engine.domain.units import NS_PER_S
from tests.reference.world import START_NS, Setup, World, make_instrument

NEAR = ([("100.00", "3")], [("100.10", "3")])
HIGH = ([("101.00", "3")], [("101.20", "3")])
HIGHER = ([("101.30", "3")], [("101.50", "3")])
LOWER = ([("100.60", "3")], [("100.80", "3")])
FLAT = ([("100.00", "3")], [("100.20", "3")])

ME, YOU = "telegram:1", "telegram:2"


def asking(rules: ApprovalRules | None = None) -> World:
    return World(Setup(mode=Mode.APPROVE, approvals=rules or ApprovalRules()))


def open_gap(world: World) -> None:
    world.show(0, *NEAR)
    world.show(1, *HIGH)


def asked(world: World) -> Approval:
    return world.journal.asked[-1]


def say(
    world: World,
    act: ApprovalAct = ApprovalAct.APPROVE,
    *,
    by: str = ME,
    approval: Approval | None = None,
    digest: str | None = None,
) -> None:
    """One input: a person's word."""
    approval = approval or asked(world)
    world.pipeline.before_input(world.now_ns)
    world.pipeline.answer_approval(
        approval.approval_id,
        act,
        by=by,
        digest=approval.digest if digest is None else digest,
        at_ns=world.now_ns,
    )
    world.pipeline.after_input(world.now_ns)


def states(world: World) -> list[ApprovalState]:
    return [end.state for end in world.journal.answered]


def settle(world: World) -> None:
    world.wait(200)
    world.tick()


def test_nothing_is_carried_out_before_a_person_has_approved_it() -> None:
    world = asking()
    open_gap(world)
    settle(world)

    assert world.journal.reasons[0] is Reason.ASKED
    assert world.journal.plans == []
    assert world.journal.intents == []

    say(world)
    settle(world)

    assert states(world) == [ApprovalState.EXECUTED]
    assert [one.plan for one in world.journal.finished] == world.journal.approved
    assert len(world.journal.intents) > 0


def test_what_is_carried_out_is_within_what_was_shown_whatever_the_market_did() -> None:
    world = asking()
    open_gap(world)
    terms = asked(world).plan
    world.show(1, *HIGHER)

    say(world)

    (plan,) = world.journal.approved
    assert isinstance(plan, LeggedPlan)
    assert isinstance(terms, LeggedPlan)
    for leg, bound in zip(plan.legs, terms.legs, strict=True):
        assert leg.size_base <= bound.size_base
        is_buy = leg.side is Side.BUY
        assert (leg.price_limit <= bound.price_limit) is is_buy or (
            leg.price_limit == bound.price_limit
        )
    assert plan.profit_quote > terms.profit_quote
    assert plan.permit == Permit(
        kind=PermitKind.APPROVAL, id=asked(world).approval_id, digest=digest_of_plan(terms)
    )


def test_a_market_that_left_the_terms_is_asked_for_anew_and_nothing_is_done() -> None:
    world = asking()
    open_gap(world)
    first = asked(world)
    world.show(1, *LOWER)  # it still pays, but less than the worst of what was shown

    say(world)
    settle(world)

    assert states(world) == [ApprovalState.STALE]
    assert world.journal.intents == []
    second = asked(world)
    assert second.approval_id != first.approval_id
    assert second.digest != first.digest
    assert second.plan.profit_quote < first.worst_quote

    say(world, approval=first)  # its old button: nothing
    assert len(world.journal.answered) == 1
    say(world)
    assert states(world) == [ApprovalState.STALE, ApprovalState.EXECUTED]


def test_a_gap_that_closed_is_not_traded() -> None:
    world = asking()
    open_gap(world)
    world.show(1, *FLAT)

    say(world)

    assert states(world) == [ApprovalState.STALE]
    assert world.journal.answered[0].why
    assert len(world.journal.asked) == 1


@pytest.mark.parametrize("times", [2, 5])
def test_an_approval_serves_one_plan_however_often_it_is_tapped(times: int) -> None:
    world = asking()
    open_gap(world)
    approval = asked(world)

    for _ in range(times):
        say(world, approval=approval)
    settle(world)

    assert states(world) == [ApprovalState.EXECUTED]
    assert len(world.journal.approved) == 1


def test_other_terms_than_were_shown_are_approved_by_no_tap() -> None:
    world = asking()
    open_gap(world)

    say(world, digest="0" * 32)

    assert world.journal.answered == []
    assert list(world.decider.permits.approvals.pending) == [asked(world).approval_id]


def test_an_approval_ends_by_time_and_its_old_button_does_nothing() -> None:
    world = asking(ApprovalRules(wait_s=5))
    open_gap(world)
    approval = asked(world)
    world.pipeline.delivered(approval.approval_id, world.now_ns)
    world.now_ns = approval.expires_at_ns
    world.show(0, *NEAR)
    world.show(1, *HIGH)

    say(world, approval=approval)

    assert states(world) == [ApprovalState.EXPIRED]
    assert world.journal.approved == []


def test_a_kill_voids_what_waits_and_what_is_tapped_in_the_same_moment() -> None:
    world = asking()
    open_gap(world)
    world.is_killed = True
    say(world)
    assert states(world) == [ApprovalState.VOID_KILL]

    other = asking()
    open_gap(other)
    other.is_killed = True
    settle(other)
    assert states(other) == [ApprovalState.VOID_KILL]
    other.is_killed = False
    say(other)
    assert other.journal.approved == []


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (lambda world: setattr(world.switches, "is_paused", True), ApprovalState.VOID_MODE),
        (lambda world: setattr(world.switches, "mode", Mode.OBSERVE), ApprovalState.VOID_MODE),
        (lambda world: setattr(world.switches, "mode", Mode.PAPER), ApprovalState.VOID_MODE),
    ],
)
def test_a_pause_or_another_mode_voids_what_waits(change: object, state: ApprovalState) -> None:
    assert callable(change)
    world = asking()
    open_gap(world)
    change(world)
    settle(world)
    assert states(world) == [state]


def test_half_of_it_is_asked_for_with_terms_of_its_own() -> None:
    world = asking()
    open_gap(world)
    whole = asked(world)

    say(world, ApprovalAct.HALVE)

    half = asked(world)
    assert states(world) == [ApprovalState.HALVED]
    assert half.size_base == whole.size_base / 2
    assert half.digest != whole.digest
    assert world.journal.approved == []
    say(world)
    settle(world)
    assert states(world) == [ApprovalState.HALVED, ApprovalState.EXECUTED]
    (finished,) = world.journal.finished
    assert max(order.size_base for order in finished.execution.orders) <= half.size_base


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (ApprovalAct.REJECT, ApprovalState.REJECTED),
        (ApprovalAct.SNOOZE, ApprovalState.SNOOZED),
    ],
)
def test_a_route_that_was_refused_is_left_alone_for_a_while(
    act: ApprovalAct, state: ApprovalState
) -> None:
    world = asking()
    open_gap(world)
    say(world, act)
    world.show(1, *FLAT)
    world.show(1, *HIGH)

    assert states(world) == [state]
    assert len(world.journal.asked) == 1
    assert world.journal.reasons[-1] is Reason.NOT_ASKED

    world.now_ns += QUIET_S[state] * NS_PER_S
    world.show(0, *NEAR)
    world.show(1, *FLAT)
    world.show(1, *HIGH)
    assert len(world.journal.asked) == 2


def test_above_a_size_two_people_have_to_approve_and_one_rejects() -> None:
    rules = ApprovalRules(two_operators_usd=Decimal(1))
    world = asking(rules)
    open_gap(world)
    say(world, by=ME)
    say(world, by=ME)
    assert world.journal.approved == []
    assert asked(world).approved_by == (ME,)
    say(world, by=YOU)
    assert states(world) == [ApprovalState.EXECUTED]
    assert world.journal.answered[0].by == f"{ME}, {YOU}"

    other = asking(rules)
    open_gap(other)
    say(other, by=ME)
    say(other, ApprovalAct.REJECT, by=YOU)
    say(other, by=YOU)
    assert states(other) == [ApprovalState.REJECTED]
    assert other.journal.approved == []


def test_what_is_worth_less_than_is_asked_for_is_not_asked() -> None:
    world = asking(ApprovalRules(usd_min=Decimal(1_000)))
    open_gap(world)
    assert world.journal.asked == []
    assert world.journal.reasons == [Reason.NOT_ASKED]


def test_more_than_can_be_read_are_not_asked_and_are_counted() -> None:
    venues = [make_instrument(f"v{number}") for number in range(2 * (PENDING_MAX + 2))]
    world = World(Setup(instruments=venues, mode=Mode.APPROVE))
    for number in range(PENDING_MAX + 1):
        world.show(2 * number, *NEAR)
        world.show(2 * number + 1, *HIGH)

    approvals = world.decider.permits.approvals
    assert len(approvals.pending) == PENDING_MAX
    left_out = approvals.left_out.since(world.now_ns)
    assert left_out
    world.wait(1_100)
    world.show(2 * PENDING_MAX, *NEAR)
    world.show(2 * PENDING_MAX + 1, *HIGH)  # decided on again: the same routes
    again = approvals.left_out.since(world.now_ns)
    assert len(again) == len(left_out)
    assert max(one.at_ns for one in again) > max(one.at_ns for one in left_out)


def test_whoever_carries_plans_out_refuses_what_nobody_permitted() -> None:
    world = asking()
    open_gap(world)
    terms = asked(world).plan
    with pytest.raises(FatalError, match="nobody has permitted it"):
        world.executors.start(terms, world.now_ns)
    forged = Permit(kind=PermitKind.APPROVAL, id=asked(world).approval_id, digest="0" * 32)
    with pytest.raises(FatalError, match="not approved"):
        world.executors.start(msgspec.structs.replace(terms, permit=forged), world.now_ns)
    mandate = Permit(kind=PermitKind.MANDATE, id="m1")
    with pytest.raises(FatalError, match="no such mandate"):
        world.executors.start(msgspec.structs.replace(terms, permit=mandate), world.now_ns)


def test_whoever_carries_plans_out_refuses_a_plan_that_is_looser_than_its_terms() -> None:
    world = asking()
    open_gap(world)
    approvals, approval = world.decider.permits.approvals, asked(world)
    approvals.answer(
        approval.approval_id, ApprovalAct.APPROVE, by=ME, digest=approval.digest, at_ns=START_NS
    )
    plan = approval.plan
    assert isinstance(plan, LeggedPlan)
    permit = Permit(kind=PermitKind.APPROVAL, id=approval.approval_id, digest=approval.digest)
    buy, sell = plan.legs
    looser = [
        (msgspec.structs.replace(buy, price_limit=buy.price_limit + 1), sell),
        (buy, msgspec.structs.replace(sell, price_limit=sell.price_limit - 1)),
        (msgspec.structs.replace(buy, size_base=buy.size_base * 2), sell),
        (buy,),
    ]
    for legs in looser:
        other = msgspec.structs.replace(plan, legs=tuple(legs), permit=permit)
        with pytest.raises(FatalError, match="may not be carried out"):
            world.executors.start(other, world.now_ns)
    other_digest = msgspec.structs.replace(permit, digest="0" * 32)
    with pytest.raises(FatalError, match="not those that were approved"):
        world.executors.start(msgspec.structs.replace(plan, permit=other_digest), world.now_ns)


def test_the_worst_of_a_plan_is_no_better_than_each_leg_at_its_limit() -> None:
    world = asking()
    open_gap(world)
    plan = asked(world).plan
    assert isinstance(plan, LeggedPlan)
    buy, sell = plan.legs
    at_limits = (sell.size_base * sell.price_limit - buy.size_base * buy.price_limit) - (
        sell.notional_quote - buy.notional_quote - plan.profit_quote
    )
    assert Decimal(0) <= at_limits - worst_quote(plan) < Decimal("0.01")
    assert cut_to_terms(plan, plan, worst=worst_quote(plan)) == plan


def test_a_digest_is_of_all_of_a_plan_but_its_permit() -> None:
    world = asking()
    open_gap(world)
    plan = asked(world).plan
    permit = Permit(kind=PermitKind.MANDATE, id="m1")
    assert digest_of_plan(msgspec.structs.replace(plan, permit=permit)) == digest_of_plan(plan)
    others = {
        digest_of_plan(msgspec.structs.replace(plan, **{name: value}))
        for name, value in {
            "plan_id": "other",
            "deadline_ns": plan.deadline_ns + 1,
            "profit_quote": plan.profit_quote + 1,
            "notional_usd": plan.notional_usd + 1,
        }.items()
    }
    assert len(others) == 4
    assert digest_of_plan(plan) not in others
    assert len(shown_digest(digest_of_plan(plan))) == 7


def grant(world: World, **changes: object) -> Mandate:
    mandate = Mandate(
        mandate_id="m1",
        by=ME,
        scope=Scope(kind=ScopeKind.ANY),
        each_usd_max=Decimal(10_000),
        total_usd_max=Decimal(10_000),
        edge_bps_min=Decimal(0),
        granted_at_ns=world.now_ns,
        expires_at_ns=world.now_ns + 600 * NS_PER_S,
    )
    mandate = msgspec.structs.replace(mandate, **changes)
    world.pipeline.grant(mandate)
    return mandate


def test_within_a_mandate_a_plan_needs_no_word_and_is_counted() -> None:
    world = asking()
    grant(world)
    open_gap(world)
    settle(world)

    (plan,) = world.journal.plans
    assert plan.permit == Permit(kind=PermitKind.MANDATE, id="m1")
    assert world.journal.asked == []
    last = world.journal.mandates[-1]
    assert (last.spent_usd, last.plans) == (plan.notional_usd, 1)
    assert last.realised_usd == world.journal.finished[0].execution.profit_usd


@pytest.mark.parametrize(
    "changes",
    [
        {"each_usd_max": Decimal(1)},
        {"each_usd_max": Decimal(1), "total_usd_max": Decimal(1)},
        {"edge_bps_min": Decimal(5_000)},
        {"expires_at_ns": START_NS},
        {"scope": Scope(kind=ScopeKind.VENUE, name="elsewhere")},
        {"scope": Scope(kind=ScopeKind.PAIR, name="ETH-USD")},
        {"scope": Scope(kind=ScopeKind.ROUTE, name="another")},
        {"scope": Scope(kind=ScopeKind.STRATEGY, name="atomic")},
    ],
)
def test_what_a_mandate_does_not_cover_is_asked_for(changes: dict[str, object]) -> None:
    world = asking()
    grant(world, **changes)
    open_gap(world)
    assert world.journal.plans == []
    assert len(world.journal.asked) == 1


def test_no_mandate_of_one_person_covers_what_takes_two() -> None:
    world = asking(ApprovalRules(two_operators_usd=Decimal(1)))
    grant(world)
    open_gap(world)

    assert world.journal.plans == []
    assert asked(world).operators_needed == 2
    mandate = Permit(kind=PermitKind.MANDATE, id="m1")
    with pytest.raises(FatalError, match="takes two people"):
        world.executors.start(
            msgspec.structs.replace(asked(world).plan, permit=mandate), world.now_ns
        )


def test_a_mandate_never_spends_more_than_it_has() -> None:
    world = asking()
    open_gap(world)
    one_usd = asked(world).plan.notional_usd
    other = asking()
    grant(other, each_usd_max=one_usd * 2, total_usd_max=one_usd * Decimal("1.5"))
    for _ in range(4):
        open_gap(other)
        settle(other)
        other.show(1, *FLAT)
        other.show(0, *FLAT)
        settle(other)

    spent = other.journal.mandates[-1].spent_usd
    assert 0 < spent <= one_usd * Decimal("1.5")
    assert len(other.journal.asked) >= 1


def test_a_kill_a_revocation_and_a_lost_venue_end_mandates() -> None:
    world = asking()
    grant(world)
    world.is_killed = True
    settle(world)
    assert world.journal.mandates[-1].ended == "the kill latch is set"

    world = asking()
    grant(world)
    world.pipeline.revoke("", by=ME, at_ns=world.now_ns)
    assert (world.journal.mandates[-1].ended, world.journal.mandates[-1].ended_by) == (
        "revoked",
        ME,
    )
    open_gap(world)
    assert world.journal.plans == []

    world = asking()
    open_gap(world)
    grant(world, scope=Scope(kind=ScopeKind.VENUE, name="there"))
    world.lose(1, Fault.GAP)
    assert world.journal.mandates[-1].ended == "there was lost"


def test_a_leg_that_failed_ends_its_mandate() -> None:
    world = asking()
    grant(world)
    open_gap(world)
    world.show(1, *FLAT)  # before the orders arrive: nothing is sold at its limit
    for _ in range(20):
        world.wait(500)
        world.show(0, *NEAR)
        world.show(1, *FLAT)

    assert world.journal.mandates[-1].ended == "a leg failed: it was filled in part or not"
    assert world.decider.permits.mandates.open == {}


def test_a_mandate_that_covers_a_route_ends_what_waits_of_it() -> None:
    world = asking()
    open_gap(world)
    waiting = asked(world)
    grant(world)
    world.wait(1_100)
    world.show(0, *NEAR)
    world.show(1, *HIGHER)

    assert states(world) == [ApprovalState.COVERED]
    assert len(world.journal.plans) == 1
    say(world, approval=waiting)
    assert world.journal.approved == []


def test_what_waits_still_has_cost_nothing_yet() -> None:
    lines = [
        WaitingLine(state=ApprovalState.PENDING, count=1, asked_usd=Decimal(8)),
        WaitingLine(state=ApprovalState.EXPIRED, count=1, asked_usd=Decimal(3)),
    ]
    assert WaitingReport(since_ns=0, lines=lines, basis=Basis.SANDBOX).cost_usd == Decimal(3)


def test_what_is_asked_is_told_with_the_input_that_caused_it() -> None:
    world = asking()
    world.show(0, *NEAR)
    assert world.journal.asked == []
    world.show(1, *HIGH)
    assert len(world.journal.asked) == 1
