"""Letting the contract run again takes what any loosening takes, and is in the audit first."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from engine.bus.command import Envelope
from engine.bus.records import StateRecord
from engine.bus.reports import Declined
from engine.bus.sending import AskContract
from engine.bus.work_reports import WorkDone
from engine.decide.switches import Switches
from engine.domain.errors import TransientError
from engine.domain.modes import Basis, Mode
from engine.operate.contract_word import unpause
from engine.operate.step_up import StepUp
from tests.operate.test_step_up import ENVELOPE, NOW_NS, Kept, code_now, make

DONE = WorkDone(text="base: unpausing by 0xa1")


@dataclass
class Sender:
    """The role that sends, as it is asked."""

    order: list[str]
    is_away: bool = False
    asked: list[AskContract] = field(default_factory=list)

    async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> Any:
        del timeout_s
        if self.is_away:
            raise TransientError("the sender is away")
        self.order.append("sent")
        self.asked.append(request)
        return DONE


class Engine:
    """The engine as `contract_word.Letting` has it."""

    def __init__(self, step_up: StepUp, *, void: str | None = None) -> None:
        self.order: list[str] = []
        self.sender: Any = Sender(self.order)
        self.why_not_live = lambda: "nothing can be signed here"
        self.step_up = step_up
        self.void = void
        self.clock = lambda: NOW_NS
        self.unstored: Declined | None = None
        self.noted: list[tuple[str, int | None]] = []

    @property
    def control(self) -> Switches:
        return Switches(mode=Mode.PAPER)

    def voids(self, at_ns: int) -> str | None:
        del at_ns
        return self.void

    async def note(
        self,
        envelope: Envelope,
        action: str,
        *,
        is_looser: bool = False,
        code_step: int | None = None,
    ) -> Declined | None:
        assert is_looser
        assert envelope is ENVELOPE
        self.order.append("noted")
        self.noted.append((action, code_step))
        return self.unstored


async def asked(engine: Engine, *, code: str | None = None, is_confirmed: bool = True) -> Any:
    return await unpause(engine, ENVELOPE, "base", is_confirmed=is_confirmed, code=code)


async def test_without_a_second_step_or_the_code_nothing_is_sent() -> None:
    for has_code in (True, False):
        engine = Engine(make(has_code=has_code, basis=Basis.SANDBOX))
        lacks = await asked(engine, is_confirmed=has_code)

        assert isinstance(lacks, Declined)
        assert (lacks.needs_confirmation, lacks.needs_code) == (True, has_code)
        assert "the contract on base takes routes again" in lacks.why
        assert engine.order == []


async def test_a_wrong_or_used_code_sends_nothing() -> None:
    outbox = Kept()
    engine = Engine(make(has_code=True, outbox=outbox))

    assert isinstance(await asked(engine, code="000000"), Declined)
    assert await asked(engine, code=code_now()) == DONE
    assert isinstance(await asked(engine, code=code_now()), Declined)

    assert engine.order == ["noted", "sent"]


async def test_it_is_in_the_audit_with_its_code_before_the_sender_hears_of_it() -> None:
    engine = Engine(make(has_code=True))

    assert await asked(engine, code=code_now()) == DONE

    assert engine.order == ["noted", "sent"]
    ((action, code_step),) = engine.noted
    assert action == "let the contract on base run again"
    assert code_step == NOW_NS // 10**9 // 30
    (sent,) = engine.sender.asked
    assert (sent.asked.chain, sent.asked.is_pause, sent.asked.by) == ("base", False, "me")
    assert sent.asked.command_id == ENVELOPE.id


async def test_what_the_ledger_did_not_take_is_not_sent() -> None:
    engine = Engine(make(has_code=True))
    engine.unstored = Declined(why="the ledger is away: nothing was done; ask again")

    assert await asked(engine, code=code_now()) == engine.unstored
    assert engine.order == ["noted"]


async def test_what_a_kill_overtook_is_declined_and_uses_up_no_code() -> None:
    step_up = make(has_code=True)
    killed = Engine(step_up, void="killed since it was asked")

    declined = await asked(killed, code=code_now())

    assert isinstance(declined, Declined)
    assert declined.why == "killed since it was asked"
    assert killed.order == []
    assert await asked(Engine(step_up), code=code_now()) == DONE


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_sender_that_is_away_is_told_as_it_is(*, is_there: bool) -> None:
    engine = Engine(make(has_code=False, basis=Basis.SANDBOX))
    engine.sender = Sender(engine.order, is_away=True) if is_there else None

    declined = await asked(engine)

    assert isinstance(declined, Declined)
    assert ("perhaps not done" if is_there else "nothing can be signed") in declined.why
    assert not any(isinstance(one, StateRecord) for one in engine.noted)
