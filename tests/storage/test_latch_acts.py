"""Acts on the kill latch: each is stored and told once, however often it is sent."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.bus.command import Envelope
from engine.bus.notices import Killed, Unkilled
from engine.bus.records import (
    Append,
    Appended,
    CodesUsed,
    EngineState,
    LatchAct,
    LatchRecord,
    LoadState,
    kill_record,
)
from engine.bus.reports import ExportReport
from engine.domain.delays import Delayed
from engine.domain.errors import BadValueError
from engine.requests.money import GetExport
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask, notices
from tests.storage.conftest import Clock

S = makers.SECOND_NS
ENVELOPE = Envelope(
    id="telegram-1-7", by="me", at_ns=makers.NOW_NS, expires_at_ns=None, target="main", digest=""
)
KILL = kill_record(ENVELOPE, why="test")
AGAIN = replace(KILL, at_ns=makers.NOW_NS + S)


async def told(ledger: Ledger) -> list[type]:
    export = await ask(ledger, GetExport(table="audit", days=1), ExportReport)
    kinds = [type(stamped.notice) for stamped in (await notices(ledger)).notices]
    assert export.rows == len(kinds), "whatever is in the audit is told once"
    return kinds


async def test_a_kill_that_is_told_again_by_another_time_is_stored_and_told_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for kill in (KILL, KILL, AGAIN, AGAIN):
            await append(ledger, kill)

        assert await told(ledger) == [Killed]


async def test_a_kill_that_is_told_again_after_a_clearing_is_an_act_of_its_own(
    settings: LedgerSettings, clock: Clock
) -> None:
    unkill = LatchRecord(
        record_id="u", at_ns=makers.NOW_NS + 1, act=LatchAct.UNKILL, by="me", why=""
    )
    async with open_ledger(settings, clock=clock) as ledger:
        for record in (KILL, unkill, *[AGAIN] * 2, KILL):
            await append(ledger, record)

        assert await told(ledger) == [Killed, Unkilled, Killed]


async def test_two_messages_are_two_kills(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for kill in (
            KILL,
            replace(KILL, record_id="kill-telegram-1-8"),
            replace(KILL, record_id="kill-telegram-2-7"),
        ):
            await append(ledger, kill)

        assert await told(ledger) == [Killed] * 3


async def state_of(ledger: Ledger) -> EngineState:
    return await ask(ledger, LoadState(day_start_ns=0), EngineState)


@pytest.mark.parametrize(("kill_later_ns", "is_killed"), [(-1, False), (0, True), (1, True)])
async def test_of_acts_that_arrive_out_of_their_order_the_newer_one_counts(
    settings: LedgerSettings, clock: Clock, kill_later_ns: int, *, is_killed: bool
) -> None:
    at_ns = makers.NOW_NS + kill_later_ns
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_latch_record(number=1, at_ns=makers.NOW_NS, act=LatchAct.UNKILL),
            makers.make_latch_record(number=2, at_ns=at_ns),
            makers.make_latch_record(number=3, at_ns=at_ns + S, act=LatchAct.WRONG_CODE),
        )

        assert (await state_of(ledger)).latch.is_killed == is_killed


async def test_wrong_codes_count_from_the_last_right_one_on(
    settings: LedgerSettings, clock: Clock
) -> None:
    def wrong(number: int) -> LatchRecord:
        at_ns = makers.NOW_NS + number
        return makers.make_latch_record(number=number, at_ns=at_ns, act=LatchAct.WRONG_CODE)

    right = replace(makers.make_latch_record(number=9, act=LatchAct.UNKILL), code_step=77)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, wrong(1), wrong(2))
        before = await state_of(ledger)
        await append(ledger, right, wrong(3))
        after = await state_of(ledger)

    assert before.codes == CodesUsed(wrong=2, wrong_at_ns=makers.NOW_NS + 2)
    assert after.codes == CodesUsed(steps=(77,), wrong=1, wrong_at_ns=makers.NOW_NS + 3)


async def test_the_latch_of_one_engine_is_not_that_of_all_nor_of_another(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, kill_record(ENVELOPE, why="test", engine="base"))

        states = {
            engine_id: await ask(
                ledger, LoadState(day_start_ns=0, engine_id=engine_id), EngineState
            )
            for engine_id in ("main", "base")
        }
        (told_of,) = [one.notice for one in (await notices(ledger)).notices]

    assert [one.latch.is_killed for one in states.values()] == [False, False]
    assert {name: one.own_latch.is_killed for name, one in states.items()} == {
        "main": False,
        "base": True,
    }
    assert isinstance(told_of, Killed)
    assert told_of.engine == "base"


async def test_what_several_engines_see_in_the_file_is_told_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    def seen(act: LatchAct, number: int) -> LatchRecord:
        return LatchRecord(
            record_id=f"{act}-{number}", at_ns=makers.NOW_NS + number, act=act,
            by="the latch file", why="", is_seen=True,
        )  # fmt: skip

    async with open_ledger(settings, clock=clock) as ledger:
        for number, act in enumerate(
            [LatchAct.KILL] * 2 + [LatchAct.UNKILL] * 2 + [LatchAct.KILL] * 2
        ):
            await append(ledger, seen(act, number))

        assert await told(ledger) == [Killed, Unkilled, Killed]


async def test_a_one_time_code_is_used_for_one_act_whichever_engine_asks(
    settings: LedgerSettings, clock: Clock
) -> None:
    unkill = LatchRecord(
        record_id="u", at_ns=makers.NOW_NS + 2, act=LatchAct.UNKILL, by="me", why="", code_step=7
    )
    up = replace(makers.make_state_record(number=1), code_step=7)
    other = replace(makers.make_state_record(number=2), code_step=7)
    async with open_ledger(settings, clock=clock) as ledger:
        for _ in range(2):  # told again, it is the same act
            await ask(ledger, Append(records=[up], engine_id="base"), Appended)
        for again in (unkill, other):
            with pytest.raises(BadValueError, match="used for another act"):
                await append(ledger, again)
        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)

    assert state.codes.steps == (7,)


async def test_what_waits_is_restored_and_is_no_change_of_its_own(
    settings: LedgerSettings, clock: Clock
) -> None:
    waits = Delayed(
        what="limit a 9 USD",
        by="me",
        asked_at_ns=makers.NOW_NS + S,
        due_at_ns=makers.NOW_NS + 9 * S,
        limit="a",
        value=Decimal("9.5"),
    )
    asked = replace(makers.make_state_record(number=2, at_ns=makers.NOW_NS + S), delayed=(waits,))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_state_record(number=1), asked)
        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)
        assert (state.delayed, state.changed_at_ns) == ((waits,), makers.NOW_NS)

        await append(ledger, makers.make_state_record(number=3, at_ns=makers.NOW_NS + 2 * S))
        state = await ask(ledger, LoadState(day_start_ns=0), EngineState)
        assert (state.delayed, state.changed_at_ns) == ((), makers.NOW_NS + 2 * S)
