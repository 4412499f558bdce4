"""Redelivery, duplicates, crashes and an absent ledger: one effect, and no silence."""

import asyncio
import json
from pathlib import Path

import pytest

from engine.bus.command import seal
from engine.domain.modes import Mode
from engine.operate.clock import SteadyClock, make_clock
from engine.requests.chat import DoneInbox, PutInbox, TakeInbox
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill, Pause, Resume, Unkill
from engine.settings.schema import Settings
from engine.wiring.paths import Paths
from engine.wiring.run import role_specs
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE
from tests.telegram.faults import Fault, Kind


async def crash(serving: asyncio.Task[None]) -> None:
    """End a front-end as kill -9 would: nothing is flushed, nothing is confirmed."""
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_an_update_delivered_twice_has_one_effect(chat: Chat) -> None:
    chat.emulator.duplicate_next()

    async with chat.start():
        await chat.say("/pause")
        await chat.say("/version")

    assert chat.facade.count(Pause) == 1
    assert len(chat.emulator.transcript()) == 2


async def test_the_offset_advances_only_after_the_ledger_has_stored(chat: Chat) -> None:
    gate = chat.facade.gates[PutInbox] = asyncio.Event()

    async with chat.start():
        chat.emulator.person_writes("/pause")
        await chat.facade.wait_until_entered(PutInbox, 1)
        assert chat.emulator.unconfirmed() != []
        gate.set()
        await chat.emulator.wait_until(lambda: chat.emulator.unconfirmed() == [])

    assert chat.facade.effects == ["pause"]


async def test_a_crash_before_storing_loses_nothing(chat: Chat) -> None:
    chat.facade.gates[PutInbox] = asyncio.Event()
    async with chat.start() as serving:
        chat.emulator.person_writes("/pause")
        await chat.facade.wait_until_entered(PutInbox, 1)
        await crash(serving)
    del chat.facade.gates[PutInbox]

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)

    assert chat.facade.effects == ["pause"]


async def test_a_crash_between_storing_and_handling_replays_once(chat: Chat) -> None:
    chat.facade.gates[GetStatus] = asyncio.Event()
    async with chat.start() as serving:
        chat.emulator.person_writes("/status")
        await chat.facade.wait_until_entered(GetStatus, 1)
        await crash(serving)
    del chat.facade.gates[GetStatus]

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)
        await chat.say("/version")

    assert len(chat.emulator.transcript()) == 2
    assert chat.facade.undone() == []


async def test_a_crash_before_the_answer_is_delivered_answers_after_the_restart(
    chat: Chat,
) -> None:
    chat.emulator.script("sendMessage", *[Fault(Kind.SERVER_ERROR)] * 50)
    async with chat.start() as serving:
        chat.emulator.person_writes("/pause")
        await chat.wait_until(lambda: chat.facade.effects == ["pause"])
        await crash(serving)
    chat.emulator._scripts.clear()

    async with chat.start():
        await chat.emulator.wait_until(lambda: "Paused" in str(chat.emulator.transcript()))

    assert chat.facade.undone() == []


async def test_an_update_seen_by_both_poll_and_inbox_runs_once(chat: Chat) -> None:
    """Stored by a former process, redelivered by Telegram, taken back from the ledger."""
    number = chat.emulator.person_writes("/pause")
    raw = chat.emulator._updates[0]
    chat.facade.inbox[number] = json.dumps(raw).encode()
    gate = chat.facade.gates[TakeInbox] = asyncio.Event()

    async with chat.start():
        await chat.facade.wait_until_entered(PutInbox, 1)
        gate.set()
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)
        await chat.say("/version")

    assert chat.facade.count(Pause) == 1
    assert chat.facade.undone() == []


async def test_a_poll_in_the_middle_of_taking_back_runs_once(chat: Chat) -> None:
    """The ledger answers TakeInbox while PutInbox of the same update is under way."""
    number = chat.emulator.person_writes("/pause")
    chat.facade.inbox[number] = json.dumps(chat.emulator._updates[0]).encode()
    taking = chat.facade.gates[TakeInbox] = asyncio.Event()
    putting = chat.facade.gates[PutInbox] = asyncio.Event()

    async with chat.start():
        await chat.facade.wait_until_entered(PutInbox, 1)
        taking.set()
        await asyncio.sleep(0)
        putting.set()
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)
        await chat.say("/version")

    assert chat.facade.count(Pause) == 1
    assert chat.facade.undone() == []


async def test_what_a_former_process_left_is_carried_out_before_what_came_since(
    chat: Chat,
) -> None:
    """In the other order the older of two limits would loosen the newer one."""
    number = chat.emulator.person_writes("/limit position_usd 400")
    chat.facade.inbox[number] = json.dumps(chat.emulator._updates.pop()).encode()
    taking = chat.facade.gates[TakeInbox] = asyncio.Event()

    async with chat.start():
        chat.emulator.person_writes("/limit position_usd 300")
        await chat.facade.wait_until_entered(PutInbox, 1)
        await chat.say("/version")  # a look waits for nothing
        taking.set()
        await chat.wait_until(lambda: len(chat.facade.effects) == 2)

    assert chat.facade.effects == ["limit position_usd 400", "limit position_usd 300"]


async def test_what_came_since_waits_also_where_the_ledger_was_away_at_the_first_look(
    chat: Chat,
) -> None:
    number = chat.emulator.person_writes("/limit position_usd 400")
    chat.facade.inbox[number] = json.dumps(chat.emulator._updates.pop()).encode()
    first = chat.facade.gates[TakeInbox] = asyncio.Event()
    chat.facade.is_ledger_away = True

    async with chat.start():
        await chat.facade.wait_until_entered(TakeInbox, 1)
        second = chat.facade.gates[TakeInbox] = asyncio.Event()
        first.set()
        await chat.facade.wait_until_entered(TakeInbox, 2)
        chat.facade.is_ledger_away = False
        chat.emulator.person_writes("/limit position_usd 300")
        await chat.facade.wait_until_entered(PutInbox, 1)
        await chat.say("/version")
        second.set()
        await chat.wait_until(lambda: len(chat.facade.effects) == 2)

    assert chat.facade.effects == ["limit position_usd 400", "limit position_usd 300"]


async def test_a_stale_command_is_refused_loudly_and_a_stale_kill_is_not(chat: Chat) -> None:
    chat.facade.mode = Mode.OBSERVE
    old = int(chat.clock.seconds()) - 8 * 3600
    await chat.facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    for line in (f"/unkill {CODE}", "/resume", "/mode paper", "/pause", "/mode observe", "/kill"):
        chat.emulator.person_writes(line, date=old)

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 6)

    said = "\n".join(chat.emulator.transcript())
    assert said.count("It was sent 28800 s ago") == 3
    assert chat.facade.count(Unkill) == 0
    assert sorted(chat.facade.effects[1:]) == [
        "kill asked by the operator",
        "mode observe",
        "pause",
    ]


@pytest.mark.parametrize("step_s", [28_800, -28_800])
async def test_a_command_is_obeyed_after_the_wall_clock_was_set_right(
    chat: Chat, step_s: int
) -> None:
    passed_ns = 0
    steady = SteadyClock(
        wall_ns=chat.clock, elapsed_ns=lambda: passed_ns, awake_ns=lambda: passed_ns
    )
    chat.facade.mode = Mode.PAPER
    async with chat.start_with_clock(make_clock(steady)):
        await chat.say("/pause")
        chat.clock.advance(step_s)
        await chat.say("/resume")
        await chat.tap("Resume")
        await chat.wait_until(lambda: not chat.facade.is_paused)


async def test_a_command_from_the_future_is_refused(chat: Chat) -> None:
    async with chat.start():
        chat.emulator.person_writes("/resume", date=int(chat.clock.seconds()) + 3600)
        await chat.emulator.wait_until(lambda: "set the clock" in str(chat.emulator.transcript()))


async def test_a_command_replayed_after_an_outage_is_refused_as_stale(chat: Chat) -> None:
    await chat.facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    chat.facade.gates[Unkill] = asyncio.Event()
    async with chat.start() as serving:
        chat.emulator.person_writes(f"/unkill {CODE}")
        await chat.facade.wait_until_entered(Unkill, 1)
        await crash(serving)
    del chat.facade.gates[Unkill]
    chat.clock.advance(3600)

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)

    assert chat.facade.is_killed
    assert "Not done: /unkill" in chat.emulator.transcript()[0]
    assert CODE not in chat.emulator.transcript()[0], "a code is never repeated"


async def test_a_second_step_does_not_survive_a_restart(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")

    async with chat.start():
        await chat.tap("Resume")

    assert chat.facade.count(Resume) == 0
    assert "too late" in chat.emulator.tap_answers[-1]["text"]


async def test_a_second_step_counts_once_however_often_it_is_tapped(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        for _ in range(5):
            chat.emulator.person_taps("Resume")
        await chat.emulator.wait_until(lambda: len(chat.emulator.tap_answers) == 5)

    assert chat.facade.count(Resume) == 1


async def test_a_second_step_expires(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        chat.clock.advance(61)
        await chat.tap("Resume")

    assert chat.facade.count(Resume) == 0
    assert "too late" in chat.emulator.tap_answers[-1]["text"]


async def test_without_a_ledger_reads_and_protection_work_and_changes_are_refused(
    chat: Chat,
) -> None:
    chat.facade.is_ledger_away = True

    async with chat.start():
        assert "Observe: running" in await chat.say("/status")
        assert "ledger is away" in await chat.say("/trades")
        health = await chat.say("/health")
        assert "Health: the history is away" in health
        assert "Of what the engine sees itself 1 of 2 are well." in health
        assert "feed gemini down" in health
        assert "Not done: the ledger is away" in await chat.say("/resume")
        assert "Paused" in await chat.say("/pause")
        chat.facade.mode = Mode.LIVE
        assert "Mode is paper" in await chat.say("/mode paper")
        assert "Not done: the ledger is away" in await chat.say("/mode approve")
        assert "Killed" in await chat.say("/kill")
        chat.facade.is_ledger_away = False
        chat.facade.notify()
        assert "last 6 of 31" in await chat.say("/trades")


async def test_a_crash_while_the_ledger_is_away_leaves_with_telegram_what_was_not_finished(
    chat: Chat,
) -> None:
    async with chat.start() as serving:
        await chat.say("/version")
        chat.facade.is_ledger_away = True
        chat.facade.gates[Pause] = asyncio.Event()
        chat.emulator.person_writes("/pause")
        await chat.facade.wait_until_entered(Pause, 1)
        polls = sum(name == "getUpdates" for name, _ in chat.emulator.calls)
        await chat.emulator.wait_until(
            lambda: sum(name == "getUpdates" for name, _ in chat.emulator.calls) > polls + 1
        )
        assert len(chat.emulator.unconfirmed()) == 1
        await crash(serving)
    chat.facade.is_ledger_away = False
    del chat.facade.gates[Pause]

    async with chat.start():
        await chat.emulator.wait_until(lambda: chat.emulator.unconfirmed() == [])
        await chat.wait_until(lambda: chat.facade.undone() == [])
    assert chat.facade.effects == ["pause"]


async def test_what_is_finished_while_the_ledger_is_away_is_told_to_it_later(chat: Chat) -> None:
    async with chat.start():
        gate = chat.facade.gates[DoneInbox] = asyncio.Event()
        await chat.say("/version")
        chat.facade.is_ledger_away = True
        gate.set()
        del chat.facade.gates[DoneInbox]
        await chat.say("/version")
        chat.facade.is_ledger_away = False
        chat.facade.notify()
        await chat.wait_until(lambda: chat.facade.undone() == [])


async def test_what_changes_the_engine_runs_in_the_order_in_which_it_was_sent(chat: Chat) -> None:
    gate = chat.facade.gates[Pause] = asyncio.Event()
    chat.facade.mode = Mode.PAPER

    async with chat.start():
        chat.emulator.person_writes("/pause")
        chat.emulator.person_writes("/mode observe")
        await chat.facade.wait_until_entered(Pause, 1)
        await chat.say("/version")
        assert chat.facade.effects == []
        gate.set()
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 3)

    assert chat.facade.effects == ["pause", "mode observe"]


async def test_a_duplicate_has_one_effect_while_the_ledger_is_away(chat: Chat) -> None:
    chat.facade.is_ledger_away = True
    chat.emulator.duplicate_next()

    async with chat.start():
        await chat.say("/pause")
        await chat.say("/version")
        chat.facade.is_ledger_away = False
        chat.facade.notify()

    assert chat.facade.count(Pause) == 1


async def test_a_finished_update_that_is_redelivered_after_a_restart_is_not_run_again(
    chat: Chat,
) -> None:
    number = chat.emulator.person_writes("/pause")
    update = chat.emulator._updates[0]
    async with chat.start():
        await chat.wait_until(lambda: number in chat.facade.done)
    chat.emulator.push(
        {name: part for name, part in update.items() if name != "update_id"}, update_id=number
    )

    async with chat.start():
        await chat.say("/version")

    assert chat.facade.count(Pause) == 1


async def test_a_telegram_that_is_away_at_the_end_costs_nothing_that_the_ledger_must_learn(
    chat: Chat, tmp_path: Path
) -> None:
    (bot,) = [s for s in role_specs(Settings(), Paths(tmp_path), has_bot=True) if s.name == "bot"]
    loop = asyncio.get_running_loop()
    chat.facade.gates[DoneInbox] = asyncio.Event()
    hanging = [Fault(Kind.HANG)] * 9

    async with chat.start_with(send_s=10.0):
        await chat.say("/status")
        await chat.facade.wait_until_entered(DoneInbox, 1)
        chat.emulator.script("sendMessage", *hanging)
        chat.emulator.script("sendChatAction", *hanging)
        unanswered = chat.emulator.person_writes("/version")
        await chat.emulator.wait_until(
            lambda: [method for method, _ in chat.emulator.calls].count("sendMessage") == 2
        )
        chat.emulator.script("getUpdates", *hanging)
        del chat.facade.gates[DoneInbox]
        stopped_s = loop.time()

    assert loop.time() - stopped_s < bot.stop_s
    assert chat.facade.undone() == [unanswered]
