"""Bringing money away takes what any loosening takes, and is in the audit before it begins."""

from decimal import Decimal
from typing import Any

from engine.bus.reports import Declined
from engine.bus.transferring import TakeOnTransfer
from engine.bus.work_reports import WorkDone
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.operate.step_up import StepUp
from engine.operate.transfer_word import begin
from tests.bot.transfer_samples import order
from tests.operate.test_contract_word import Engine
from tests.operate.test_step_up import ENVELOPE, code_now, make


class Trader:
    """The role that sends, as it is asked."""

    def __init__(self, acts: list[str]) -> None:
        self.acts = acts
        self.is_away = False
        self.asked: list[TakeOnTransfer] = []

    async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> Any:
        del timeout_s
        if self.is_away:
            raise TransientError("the trader is away")
        self.acts.append("taken on")
        self.asked.append(request)
        return WorkDone(text="it is allowed")


class Trading(Engine):
    """The engine as `transfer_word.Trades` has it."""

    def __init__(self, step_up: StepUp, *, void: str | None = None) -> None:
        super().__init__(step_up, void=void)
        self.trader: Any = Trader(self.order)


async def asked(engine: Trading, *, code: str | None = None, is_confirmed: bool = True) -> Any:
    return await begin(engine, ENVELOPE, order(), is_confirmed=is_confirmed, code=code)


async def test_without_a_second_step_or_the_code_nothing_begins() -> None:
    bare = Trading(make(has_code=False, basis=Basis.SANDBOX))
    enrolled = Trading(make(has_code=True, basis=Basis.SANDBOX))
    real = Trading(make(has_code=False, basis=Basis.LIVE))

    first = await asked(bare, is_confirmed=False)
    second = await asked(enrolled)
    third = await asked(real)

    assert first.needs_confirmation
    assert second.needs_code
    assert "make enroll" in third.why
    assert bare.order == enrolled.order == real.order == []


async def test_it_is_in_the_audit_with_its_code_and_its_address_before_it_is_taken_on() -> None:
    engine = Trading(make(has_code=True))

    await asked(engine, code=code_now())

    assert engine.order == ["noted", "taken on"]
    ((action, step),) = engine.noted
    assert "transfer 0.5 BTC from kraken to binance on bitcoin, 14LsykHvm" in action
    assert step is not None
    (request,) = engine.trader.asked
    assert (request.order.amount, request.by) == (Decimal("0.5"), ENVELOPE.by)


async def test_what_is_void_or_cannot_be_stored_does_not_begin() -> None:
    void = Trading(make(has_code=False, basis=Basis.SANDBOX), void="killed since")
    unstored = Trading(make(has_code=False, basis=Basis.SANDBOX))
    unstored.unstored = Declined(why="the ledger is away")

    assert (await asked(void)).why == "killed since"
    assert (await asked(unstored)).why == "the ledger is away"
    assert "taken on" not in void.order + unstored.order


async def test_an_engine_without_a_trader_says_so_and_one_whose_trader_is_away_too() -> None:
    none = Trading(make(has_code=False, basis=Basis.SANDBOX))
    none.trader = None
    away = Trading(make(has_code=False, basis=Basis.SANDBOX))
    away.trader.is_away = True

    assert "no orders are placed" in (await asked(none)).why
    assert "perhaps not begun" in (await asked(away)).why
