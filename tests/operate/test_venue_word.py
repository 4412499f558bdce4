"""Taking what a halted venue shows takes what any loosening takes, and is in the audit first."""

from typing import Any

from engine.bus.reports import Declined
from engine.bus.trading import AdoptVenue
from engine.bus.work_reports import WorkDone
from engine.domain.errors import TransientError
from engine.domain.modes import Basis
from engine.operate.step_up import StepUp
from engine.operate.venue_word import adopt
from tests.operate.test_contract_word import Engine
from tests.operate.test_step_up import ENVELOPE, code_now, make


class Trader:
    """The role that places orders, as it is asked."""

    def __init__(self, order: list[str]) -> None:
        self.order = order
        self.is_away = False
        self.asked: list[AdoptVenue] = []

    async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> Any:
        del timeout_s
        if self.is_away:
            raise TransientError("the trader is away")
        self.order.append("adopted")
        self.asked.append(request)
        return WorkDone(text="kraken goes on")


class Trading(Engine):
    """The engine as `venue_word.Trades` has it."""

    def __init__(self, step_up: StepUp, *, void: str | None = None) -> None:
        super().__init__(step_up, void=void)
        self.trader: Any = Trader(self.order)


async def asked(engine: Trading, *, code: str | None = None, is_confirmed: bool = True) -> Any:
    return await adopt(engine, ENVELOPE, "kraken", is_confirmed=is_confirmed, code=code)


async def test_without_a_second_step_or_the_code_nothing_is_adopted() -> None:
    bare = Trading(make(has_code=False, basis=Basis.SANDBOX))
    enrolled = Trading(make(has_code=True, basis=Basis.SANDBOX))

    first = await asked(bare, is_confirmed=False)
    second = await asked(enrolled, is_confirmed=True)

    assert first.needs_confirmation
    assert second.needs_code
    assert bare.order == enrolled.order == []


async def test_it_is_in_the_audit_with_its_code_before_the_trader_hears_of_it() -> None:
    engine = Trading(make(has_code=True))

    await asked(engine, code=code_now())

    assert engine.order == ["noted", "adopted"]
    ((action, step),) = engine.noted
    assert "kraken" in action
    assert step is not None
    (request,) = engine.trader.asked
    assert (request.venue, request.by) == ("kraken", ENVELOPE.by)


async def test_what_is_void_or_cannot_be_stored_is_not_done() -> None:
    void = Trading(make(has_code=False, basis=Basis.SANDBOX), void="killed since")
    unstored = Trading(make(has_code=False, basis=Basis.SANDBOX))
    unstored.unstored = Declined(why="the ledger is away")

    assert (await asked(void)).why == "killed since"
    assert (await asked(unstored)).why == "the ledger is away"
    assert "adopted" not in void.order + unstored.order


async def test_an_engine_that_places_none_says_so_and_one_whose_trader_is_away_too() -> None:
    none = Trading(make(has_code=False, basis=Basis.SANDBOX))
    none.trader = None
    away = Trading(make(has_code=False, basis=Basis.SANDBOX))
    away.trader.is_away = True

    assert "no orders are placed" in (await asked(none)).why
    assert "perhaps not done" in (await asked(away)).why
