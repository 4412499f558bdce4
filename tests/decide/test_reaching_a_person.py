"""What nobody can be shown is not asked: blind chats, and prompts that nobody delivered."""

import pytest

from engine.core.inputs.approval_delivered import APPROVAL_DELIVERED, ApprovalDelivered
from engine.core.inputs.chat_seen import CHAT_SEEN, ChatSeen
from engine.decide.approvals import ApprovalRules
from engine.domain.approvals import ApprovalState
from engine.domain.errors import FatalError
from engine.domain.modes import Mode
from engine.domain.opportunities import Reason
from engine.domain.permits import Permit, PermitKind
from engine.domain.units import NS_PER_S
from tests.decide.test_approvals import (
    FLAT,
    HIGH,
    HIGHER,
    ME,
    NEAR,
    asked,
    asking,
    grant,
    open_gap,
    say,
    settle,
    states,
)
from tests.reference.world import Setup, World

BUDGET_S = ApprovalRules().wait_s // 2


def see(world: World, *, is_blind: bool) -> None:
    """One input: the chat is blind, or sees again."""
    world.pipeline.before_input(world.now_ns)
    world.pipeline.see(is_blind=is_blind, at_ns=world.now_ns)
    world.pipeline.after_input(world.now_ns)


def deliver(world: World) -> None:
    """One input: a chat has shown the newest prompt."""
    world.pipeline.delivered(asked(world).approval_id, world.now_ns)


def again(world: World) -> None:
    """The gap opens once more, on prices of now."""
    world.wait(1_100)
    world.show(0, *NEAR)
    world.show(1, *FLAT)
    world.show(1, *HIGHER)


def test_a_blind_chat_voids_what_waits_and_nothing_is_asked_until_it_sees() -> None:
    world = asking()
    open_gap(world)
    waiting = asked(world)

    see(world, is_blind=True)
    assert states(world) == [ApprovalState.VOID_BLIND]
    say(world, approval=waiting)
    again(world)
    assert world.journal.approved == []
    assert len(world.journal.asked) == 1
    assert world.journal.reasons[-1] is Reason.CHAT_BLIND

    see(world, is_blind=False)
    again(world)
    assert len(world.journal.asked) == 2


def test_a_mandate_is_held_while_the_chat_is_blind_and_goes_on_within_its_time() -> None:
    world = asking()
    mandate = grant(world)
    see(world, is_blind=True)
    open_gap(world)
    settle(world)
    assert world.journal.plans == []
    assert world.journal.intents == []

    permit = Permit(kind=PermitKind.MANDATE, id=mandate.mandate_id)
    see(world, is_blind=False)
    again(world)
    plan = world.journal.plans[0]
    assert plan.permit == permit

    see(world, is_blind=True)
    with pytest.raises(FatalError, match="blind"):
        world.executors.start(plan, world.now_ns)


def test_a_mode_in_which_nobody_is_asked_goes_on_without_a_chat() -> None:
    world = World(Setup(mode=Mode.PAPER))
    see(world, is_blind=True)
    open_gap(world)
    assert len(world.journal.plans) == 1


def test_a_prompt_that_no_chat_has_shown_within_half_its_time_is_void() -> None:
    world = asking()
    open_gap(world)
    approval = asked(world)
    world.wait(BUDGET_S * 1_000 - 1)
    world.tick()
    assert states(world) == []
    world.now_ns = approval.asked_at_ns + BUDGET_S * NS_PER_S
    world.tick()
    assert states(world) == [ApprovalState.UNDELIVERED]
    say(world, approval=approval)
    assert world.journal.approved == []


def test_a_tap_after_that_time_does_nothing_even_before_the_tick_that_would_void_it() -> None:
    world = asking()
    open_gap(world)
    approval = asked(world)
    world.now_ns = approval.asked_at_ns + BUDGET_S * NS_PER_S
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    say(world, approval=approval)
    assert states(world) == [ApprovalState.UNDELIVERED]
    assert world.journal.approved == []


def test_a_prompt_that_was_shown_waits_its_whole_time() -> None:
    world = asking()
    open_gap(world)
    deliver(world)
    world.now_ns = asked(world).expires_at_ns - 1
    world.show(0, *NEAR)
    world.show(1, *HIGH)
    assert states(world) == []
    say(world)
    assert states(world) == [ApprovalState.EXECUTED]


def test_a_delivery_that_is_told_too_late_saves_nothing() -> None:
    world = asking()
    open_gap(world)
    world.now_ns = asked(world).asked_at_ns + BUDGET_S * NS_PER_S
    deliver(world)
    world.tick()
    assert states(world) == [ApprovalState.UNDELIVERED]


def test_a_word_on_a_prompt_is_a_proof_that_it_was_shown() -> None:
    world = asking(ApprovalRules(two_operators_usd=ApprovalRules().usd_min))
    open_gap(world)
    say(world, by=ME)
    world.now_ns = asked(world).expires_at_ns - 1
    world.tick()
    assert states(world) == []


def test_a_route_whose_prompt_was_not_shown_is_left_alone_for_a_while() -> None:
    world = asking()
    open_gap(world)
    world.wait(BUDGET_S * 1_000)
    world.tick()
    again(world)
    assert len(world.journal.asked) == 1
    world.wait(60_000)
    again(world)
    assert len(world.journal.asked) == 2


def test_a_step_of_the_clock_lengthens_and_shortens_no_time_for_delivery() -> None:
    world = asking()
    open_gap(world)
    approvals = world.decider.permits.approvals
    approvals.step_clock(3_600 * NS_PER_S)
    world.now_ns += 3_600 * NS_PER_S + BUDGET_S * NS_PER_S - 1
    approvals.expire(world.now_ns)
    assert approvals.pending
    approvals.expire(world.now_ns + 1)
    assert not approvals.pending


def test_both_are_inputs_that_are_recorded() -> None:
    assert CHAT_SEEN.decode(CHAT_SEEN.encode(ChatSeen(is_blind=True))) == ChatSeen(is_blind=True)
    told = ApprovalDelivered(approval_id="r1-a1")
    assert APPROVAL_DELIVERED.decode(APPROVAL_DELIVERED.encode(told)) == told
