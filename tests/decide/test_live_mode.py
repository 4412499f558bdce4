"""In mode live a route through one chain's pools is planned to be sent, and nothing else is."""

import msgspec

from engine.domain.modes import Mode
from engine.domain.opportunities import Reason, Refusal
from engine.domain.plans import is_live
from engine.settings.schema import ChainsSettings, MarketsSettings, Settings, SignerSettings
from engine.wiring.going_live import why_not_live
from tests.execute.test_atomic import make_world
from tests.reference.world import Setup, World


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


def test_live_is_refused_in_sentences_wherever_it_cannot_be() -> None:
    sandbox = Settings(signer=SignerSettings(signs="sandbox", contracts={"base:0x": "0x"}))
    real = msgspec.structs.replace(sandbox, markets=MarketsSettings(source="live"))
    off = msgspec.structs.replace(sandbox, signer=SignerSettings())
    bare = msgspec.structs.replace(sandbox, signer=SignerSettings(signs="sandbox"))

    assert why_not_live(sandbox) == ""
    assert "main network" in why_not_live(real)
    assert "SYNDICATE_SIGNER_SIGNS is off" in why_not_live(off)
    assert "SYNDICATE_SIGNER_CONTRACTS" in why_not_live(bare)
    assert ChainsSettings() == sandbox.chains
