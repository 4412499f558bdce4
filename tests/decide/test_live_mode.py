"""In mode live a route through one chain's pools is planned to be sent, and nothing else is."""

from pathlib import Path

import msgspec

from engine.domain.modes import Mode
from engine.domain.opportunities import Reason, Refusal
from engine.domain.plans import AtomicPlan, MixedPlan, is_live
from engine.domain.units import NS_PER_S
from engine.settings.schema import MarketsSettings, Settings, SignerSettings
from engine.wiring.going_live import why_not_live
from engine.wiring.paths import Paths
from tests.execute.mixed_worlds import make_mixed_world
from tests.execute.test_atomic import make_world
from tests.reference.world import Setup, World
from tests.signing.intents import CODE_HASH, CONTRACT


def test_a_plan_of_the_mode_live_is_sent_and_borrows_as_our_contract_holds_nothing() -> None:
    world = make_world(mode=Mode.LIVE, held=(("ETH", "1"), ("USDT", "1000000")))

    plans = world.journal.atomic_plans
    assert plans
    assert all(is_live(one) and one.has_flash_loan for one in plans)


def test_a_plan_of_the_mode_paper_stays_on_paper() -> None:
    world = make_world(mode=Mode.PAPER)

    plans = world.journal.atomic_plans
    assert plans
    assert not any(is_live(one) for one in plans)


def test_orders_at_books_are_not_planned_in_the_mode_live() -> None:
    world = World(Setup(mode=Mode.LIVE))
    world.show(0, [("100.00", "1")], [("100.10", "1")])
    world.show(1, [("101.00", "1")], [("101.20", "1")])

    assert world.journal.decided
    for one in world.journal.decided:
        assert isinstance(one.decision, Refusal)
        assert one.decision.reason is Reason.NO_EXECUTOR
        assert "on paper" in one.decision.detail


def test_orders_together_with_a_transaction_are_refused_by_name_in_the_mode_live() -> None:
    world = make_mixed_world(mode=Mode.LIVE, trades=("a",))

    assert world.journal.decided
    assert world.journal.mixed_plans == []
    for one in world.journal.decided:
        assert isinstance(one.decision, Refusal)
        assert one.decision.reason is Reason.NO_EXECUTOR
        assert "orders together with a transaction are on paper alone" in one.decision.detail


def test_orders_together_with_a_transaction_are_on_paper_where_a_person_is_asked() -> None:
    world = make_mixed_world(mode=Mode.APPROVE, trades=("a",))

    (asked,) = world.journal.asked
    assert isinstance(asked.plan, MixedPlan)
    assert not is_live(asked.plan)


def test_live_is_refused_in_sentences_wherever_it_cannot_be(tmp_path: Path) -> None:
    place = f"base:{CONTRACT}"
    sandbox = Settings(signer=SignerSettings(signs="sandbox", contracts={place: CODE_HASH}))
    real = msgspec.structs.replace(sandbox, markets=MarketsSettings(source="live"))
    off = msgspec.structs.replace(sandbox, signer=SignerSettings())
    bare = msgspec.structs.replace(sandbox, signer=SignerSettings(signs="sandbox"))
    main = msgspec.structs.replace(
        real, signer=SignerSettings(signs="main", contracts={place: CODE_HASH})
    )
    elsewhere = msgspec.structs.replace(
        real, signer=SignerSettings(signs="test", contracts={place: CODE_HASH})
    )

    def why(settings: Settings) -> str:
        return why_not_live(settings, Paths(tmp_path))

    assert why(sandbox) == ""
    assert "could be sent to real ones" in why(real)
    assert "SYNDICATE_SIGNER_SIGNS is off" in why(off)
    assert "SYNDICATE_SIGNER_CONTRACTS" in why(bare)
    assert "no self-test passed on base" in why(main)
    assert "base is none of those: sepolia" in why(elsewhere)
    assert "the markets are the sandbox's" in why(
        msgspec.structs.replace(main, markets=MarketsSettings())
    )


def test_what_a_person_approves_is_sent_where_something_may_be_signed_and_else_is_on_paper() -> (
    None
):
    for sends in (True, False):
        world = make_world(mode=Mode.APPROVE, sends_approved=sends)

        (asked, *_) = world.journal.asked
        assert isinstance(asked.plan, AtomicPlan)
        assert is_live(asked.plan) == sends
        lasts_ns = asked.plan.deadline_ns - asked.plan.decided_at_ns
        assert (lasts_ns > 60 * NS_PER_S) == sends, "its terms say until when it may be sent"
