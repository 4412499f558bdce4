"""A kill is acted upon before anything else that waits, and nothing sent before it undoes it."""

import asyncio

import pytest

from engine.bus.command import seal
from engine.requests.chat import PutInbox
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill, Pause, Resume, Unkill
from tests.bot.conftest import Chat
from tests.bot.fake_facade import CODE
from tests.telegram.faults import Fault, Kind


async def test_a_kill_overtakes_forty_slow_commands(chat: Chat) -> None:
    gate = chat.facade.gates[GetStatus] = asyncio.Event()

    async with chat.start():
        for _ in range(40):
            chat.emulator.person_writes("/status")
        await chat.facade.wait_until_entered(GetStatus, 40)
        text = await chat.say("/kill")

        assert "Killed" in text, "the kill is answered while forty handlers hang"
        assert chat.facade.is_killed
        gate.set()
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 41)


async def test_a_kill_in_a_batch_reaches_the_engine_before_the_ledger_hears_of_it(
    chat: Chat,
) -> None:
    for _ in range(30):
        chat.emulator.person_writes("/status")
    chat.emulator.person_writes("KILL")

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 31)

    kinds = [type(command) for command in chat.facade.asked]
    assert kinds.index(Kill) < kinds.index(PutInbox)
    assert kinds.index(Kill) < kinds.index(GetStatus)


async def test_a_kill_works_while_the_ledger_hangs(chat: Chat) -> None:
    chat.facade.gates[PutInbox] = asyncio.Event()

    async with chat.start():
        chat.emulator.person_writes("/status")
        await chat.facade.wait_until_entered(PutInbox, 1)
        text = await chat.say("/kill", answers=2)
        chat.facade.gates[PutInbox].set()

    assert "Killed" in text
    assert chat.facade.is_killed


async def test_a_kill_works_while_the_ledger_is_away(chat: Chat) -> None:
    chat.facade.is_ledger_away = True

    async with chat.start():
        text = await chat.say("/kill")
        assert "Killed" in text
        chat.facade.is_ledger_away = False
        chat.facade.notify()


async def test_a_kill_that_nothing_confirms_is_told_as_that(chat: Chat) -> None:
    chat.facade.gates[Kill] = asyncio.Event()

    async with chat.start_with(ask_s=0.3):
        text = await chat.say("/kill")
        chat.facade.gates[Kill].set()

    assert "KILL NOT CONFIRMED" in text
    assert chat.facade.is_killed


async def test_what_was_sent_before_a_kill_cannot_loosen_after_it(chat: Chat) -> None:
    await chat.facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    chat.emulator.person_writes(f"/unkill {CODE}")
    chat.emulator.person_writes("/kill")

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)

    assert chat.facade.is_killed
    assert chat.facade.count(Unkill) == 0
    assert "A kill came after it" in "".join(chat.emulator.transcript())


async def test_what_was_sent_after_a_kill_counts(chat: Chat) -> None:
    chat.emulator.person_writes("/kill")
    chat.emulator.person_writes(f"/unkill {CODE}")

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)

    assert not chat.facade.is_killed


async def test_a_kill_during_an_unkill_is_asserted_again(chat: Chat) -> None:
    await chat.facade.ask(seal(Kill(why="first"), by="file", at_ns=0))
    gate = chat.facade.gates[Unkill] = asyncio.Event()

    async with chat.start():
        chat.emulator.person_writes(f"/unkill {CODE}")
        await chat.facade.wait_until_entered(Unkill, 1)
        await chat.say("/kill")
        gate.set()
        await chat.wait_until(lambda: chat.facade.count(Kill) == 3)

    assert chat.facade.is_killed
    assert chat.facade.effects[-1] == "kill a kill came while a command was under way"


async def test_a_kill_voids_second_steps_that_wait(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/resume")
        await chat.say("/kill")
        await chat.tap("Resume")

    assert chat.facade.count(Resume) == 0
    assert "too late" in chat.emulator.tap_answers[-1]["text"]


async def test_a_kill_that_waited_says_when_it_was_sent_and_one_now_counts_as_now(
    chat: Chat,
) -> None:
    sent_at_s = chat.clock.now_ns // 10**9 - 40
    chat.emulator.person_writes("/kill", date=sent_at_s)
    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)
        await chat.say("/kill")

    waited, now = (one.sealed for one in chat.facade.asked if isinstance(one, Kill))
    assert (waited.is_late, waited.at_ns) == (True, (sent_at_s + 1) * 10**9)
    assert (now.is_late, now.at_ns) == (False, chat.clock.now_ns)


@pytest.mark.parametrize("line", ["/pause", "/mode observe"])
async def test_a_tightening_voids_second_steps_that_wait(chat: Chat, line: str) -> None:
    async with chat.start():
        await chat.say("/resume")
        await chat.say(line)
        await chat.tap("Resume")

    assert chat.facade.count(Resume) == 0
    assert "too late" in chat.emulator.tap_answers[-1]["text"]


async def test_a_kill_that_waits_for_the_engine_holds_up_nothing_behind_it(chat: Chat) -> None:
    gate = chat.facade.gates[Kill] = asyncio.Event()

    async with chat.start():
        chat.emulator.person_writes("/kill")
        await chat.facade.wait_until_entered(Kill, 1)
        text = await chat.say("/version")
        gate.set()

    assert "Commit" in text, "the kill's own answer comes when the engine has answered"


async def test_a_kill_that_is_told_again_after_a_restart_is_known_for_the_same(chat: Chat) -> None:
    chat.facade.gates[PutInbox] = asyncio.Event()  # it ends before Telegram may forget the kill
    async with chat.start() as serving:
        await chat.say("/kill")
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    del chat.facade.gates[PutInbox]
    chat.clock.advance(5)

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)
        await chat.say("/kill")

    first, again, another = (one.sealed.id for one in chat.facade.asked if isinstance(one, Kill))
    assert first == again != another
    assert chat.settings.telegram_token is not None
    assert chat.settings.telegram_token.partition(":")[0] in first
    assert chat.settings.telegram_token not in first


def two_engines() -> tuple[str, ...]:
    return ("base", "main")


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("/kill base", "kill of base asked by the operator"),
        ("kill base", "kill of base asked by the operator"),
        ("/kill bse", "kill bse"),
        ("/kill base is wrong", "kill base is wrong"),
        ("/kill", "kill asked by the operator"),
    ],
)
async def test_a_name_and_nothing_else_kills_one_engine_and_any_other_word_all(
    chat: Chat, line: str, effect: str
) -> None:
    async with chat.start_with(read_engine_ids=two_engines):
        await chat.say(line)

    assert chat.facade.effects == [effect]


async def test_kills_of_one_batch_that_name_different_engines_are_all_carried_out(
    chat: Chat,
) -> None:
    for line in ("/kill base", "/kill main", "/kill base"):
        chat.emulator.person_writes(line)

    async with chat.start_with(read_engine_ids=two_engines):
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 3)

    assert sorted(chat.facade.effects) == [
        "kill of base asked by the operator",
        "kill of main asked by the operator",
    ]


async def test_a_disk_that_does_not_say_which_engines_there_are_makes_it_a_kill_of_all(
    chat: Chat,
) -> None:
    def read() -> tuple[str, ...]:
        raise OSError

    async with chat.start_with(read_engine_ids=read):
        await chat.say("/kill base")

    assert chat.facade.effects == ["kill base"]


async def test_an_unkill_by_name_is_for_that_engine(chat: Chat) -> None:
    async with chat.start_with(read_engine_ids=two_engines):
        await chat.say(f"/unkill {CODE} base")

    (command,) = [one for one in chat.facade.asked if isinstance(one, Unkill)]
    assert command.envelope is not None
    assert (command.engine, command.envelope.target) == ("base", "base")


async def test_a_kill_behind_three_hundred_updates_comes_before_any_of_them(chat: Chat) -> None:
    for _ in range(300):
        chat.emulator.person_writes("/status")
    chat.emulator.person_writes("/kill")

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 301)

    kinds = [type(command) for command in chat.facade.asked]
    assert kinds.index(Kill) < kinds.index(GetStatus)


@pytest.mark.parametrize("kind", [Kind.HANG, Kind.SERVER_ERROR, Kind.TOO_MANY])
async def test_what_a_full_batch_brought_is_answered_though_the_next_cannot_be_fetched(
    chat: Chat, kind: Kind
) -> None:
    gate = chat.facade.gates[PutInbox] = asyncio.Event()
    for _ in range(100):
        chat.emulator.person_writes("/status")

    async with chat.start():
        await chat.facade.wait_until_entered(PutInbox, 1)
        chat.emulator.script("getUpdates", *[Fault(kind)] * 20)
        gate.set()
        await chat.facade.wait_until_entered(GetStatus, 100)
        chat.emulator.forget_faults()


async def test_what_only_protects_does_not_wait_for_the_next_batch(chat: Chat) -> None:
    for number in range(250):
        chat.emulator.person_writes("/pause" if number == 150 else "/status")

    async with chat.start():
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 250)

    kinds = [type(command) for command in chat.facade.asked]
    assert kinds.index(Pause) < kinds.index(GetStatus)
