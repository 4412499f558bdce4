"""Screens that follow one another in one message: pages, the way back, and looking again."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import command_table
from bot.answer import Answer, Button
from bot.command import HOME
from bot.dispatch import Invocation, read_line
from bot.render.html import write_html
from bot.render.pages import ROWS_MAX, make_pages
from bot.render.screen import Block, Facts, Lines, Screen, Table, Text
from bot.telegram.keyboards import read_payload
from bot.telegram.places import PAYLOAD_BYTES_MAX, Place, Spot, read_place, show_page
from engine.requests.overview import GetOpportunities, GetVenues
from tests.bot import samples
from tests.bot.conftest import Chat
from tests.bot.test_screens import screens
from tests.effort import examples
from tests.telegram.chats import Entry
from tests.telegram.markup import parse_html


def newest(chat: Chat) -> Entry:
    return chat.emulator.chats.from_bot()[-1]


def labels(entry: Entry) -> list[str]:
    return [button["text"] for row in entry.buttons for button in row]


async def tap_until(chat: Chat, label: str, said: str) -> None:
    """Tap and wait until the newest message says something."""
    chat.emulator.person_taps(label)
    await chat.emulator.wait_until(lambda: said in newest(chat).text)


async def test_buttons_lead_from_screen_to_screen_within_one_message(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/status")
        for label, said in (
            ("Opportunities", "Opportunities: 1 open"),
            ("Why 1", "r7-12 BTC-USD"),
            ("‹ Back", "Opportunities: 1 open"),
            ("‹ Back", "Observe: running"),
            ("System", "System: "),
            ("Venues", "books live"),
            ("‹ Back", "System: "),
            ("‹ Back", "Observe: running"),
            ("Settings", "Settings: "),
            ("‹ Back", "Observe: running"),
            ("Reports", "Reports"),
        ):
            await tap_until(chat, label, said)

    assert len(chat.emulator.transcript()) == 1
    assert newest(chat).edits == 11
    assert chat.facade.undone() == []


async def test_back_leads_to_where_one_came_from(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/trades 6")
        await tap_until(chat, "Why 1", "r7-12 BTC-USD")
        await tap_until(chat, "‹ Back", "Trades: last 6")

    assert len(chat.emulator.transcript()) == 1


async def test_refresh_shows_what_is_so_now_in_the_same_message(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/status")
        chat.facade.is_paused = True
        await tap_until(chat, "Refresh", "paused, no plans are made")
        await chat.tap("Refresh")  # the same again: Telegram calls that not modified
        chat.clock.advance(5)
        chat.facade.is_paused = False
        await tap_until(chat, "Refresh", "running")

    assert len(chat.emulator.transcript()) == 1
    assert chat.facade.undone() == []


async def test_pages_turn_within_the_message_and_have_their_own_buttons(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/opportunities")
        shown = labels(newest(chat))
        assert "2/" in " ".join(shown)
        following = next(label for label in shown if label.startswith("2/"))
        chat.emulator.person_taps(following)
        await chat.emulator.wait_until(lambda: newest(chat).edits == 1)
        other = newest(chat).text
        later = labels(newest(chat))
        previous = next(label for label in later if label.startswith("‹ 1/"))
        await tap_until(chat, previous, "1 ●")

    assert text.split("\n")[0] == other.split("\n")[0]
    assert text != other
    assert "Why 1" in shown
    assert "Why 1" not in later
    assert len(chat.emulator.transcript()) == 1


async def test_what_a_notice_said_stays_when_its_buttons_are_tapped(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/version")
        chat.facade.tell(samples.all_notices()[0])
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 2)
        notice = newest(chat)
        told = notice.text
        chat.emulator.person_taps(labels(notice)[0])
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 3)

    assert (notice.text, notice.edits) == (told, 0)


async def test_what_acts_is_a_message_of_its_own_with_buttons_for_what_is_so_then(
    chat: Chat,
) -> None:
    async with chat.start():
        await chat.say("/start")
        assert "Paper…" in labels(newest(chat))
        await chat.say("/mode paper")
        await chat.tap("Go to paper")
        await chat.say("/status")
        assert "Pause" in labels(newest(chat))
        chat.emulator.person_taps("Pause")
        await chat.emulator.wait_until(lambda: "Paused" in newest(chat).text)
        assert labels(newest(chat)) == ["Resume…", "KILL", "Overview"]
        await chat.say("/kill")
        await tap_until(chat, "Overview", "held by the latch")

    assert "How to unkill" in labels(newest(chat))
    assert not {"Pause", "Resume…", "Paper…", "KILL"} & set(labels(newest(chat)))


async def test_a_screen_whose_message_is_gone_comes_as_a_new_one(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/status")
        gone = newest(chat)
        chat.emulator.person_taps("Refresh")
        chat.emulator.chats.entries.remove(gone)
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 1)

    assert "running" in newest(chat).text
    assert "Refresh" in labels(newest(chat))


async def test_of_two_taps_on_a_screen_the_later_has_the_last_word(chat: Chat) -> None:
    gate = chat.facade.gates[GetOpportunities] = asyncio.Event()
    async with chat.start():
        await chat.say("/status")
        chat.emulator.person_taps("Opportunities")
        await chat.facade.wait_until_entered(GetOpportunities, 1)
        chat.emulator.person_taps("System")
        await chat.emulator.wait_until(lambda: "System: " in newest(chat).text)
        gate.set()
        await chat.emulator.wait_until(lambda: len(chat.emulator.tap_answers) == 2)
        await chat.say("/version")

    assert "System: " in chat.emulator.transcript()[0]
    assert chat.facade.undone() == []


async def test_taps_in_a_row_do_not_wait_for_screens_that_nobody_will_see(chat: Chat) -> None:
    async with chat.start_with(chat_sends_per_s=0.5, chat_send_burst=1):
        await chat.say("/status")
        for number in range(20):
            to = "s:1:/venues" if number % 2 else "s:1:/system"
            chat.emulator.tap_raw(newest(chat), to)
        await chat.emulator.wait_until(lambda: "books live" in newest(chat).text)

    assert newest(chat).edits <= 2
    assert chat.facade.count(GetVenues) == 10
    assert chat.facade.undone() == []


async def test_a_failure_stands_in_the_screen_and_the_way_back_stays(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/status")
        chat.facade.is_engine_away = True
        await tap_until(chat, "Opportunities", "No answer")
        assert labels(newest(chat))[-2:] == ["‹ Back", "Refresh"]
        chat.facade.is_engine_away = False
        await tap_until(chat, "Refresh", "Opportunities: 1 open")

    assert len(chat.emulator.transcript()) == 1


@pytest.mark.parametrize("payload", ["s:1:/unkill 123456", "s:1:hello", "s:x:/status", "s:1:"])
def test_no_place_leads_to_what_no_button_may_say(payload: str) -> None:
    assert read_payload(payload) is None


def test_every_screen_has_a_way_back_to_the_first() -> None:
    for entry in command_table.COMMANDS:
        seen = [entry.name]
        while seen[-1] not in {HOME, "start"}:
            above = command_table.find(seen[-1])
            assert above is not None
            assert above.parent not in seen
            seen.append(above.parent)


@given(screens())
@settings(max_examples=examples(100), deadline=None)
def test_pages_fit_above_the_fold_and_lose_nothing(screen: Screen) -> None:
    pages = [page.screen for page in make_pages(screen)]

    assert pages
    for page in pages:
        blocks = page.blocks
        alone = len(blocks) == 1 and len(make_pages(page)) == 1
        rows = sum(
            len(line.split("\n")) for part in write_html(page) for line in [parse_html(part)[0]]
        )
        assert rows <= ROWS_MAX or alone
    for kind in (Text,):
        whole = [block.text for block in screen.blocks if isinstance(block, kind)]
        assert [b.text for page in pages for b in page.blocks if isinstance(b, kind)] == whole
    monospace = [
        row for page in pages for b in page.blocks if not isinstance(b, Text) for row in _content(b)
    ]
    assert monospace == [
        row for b in screen.blocks if not isinstance(b, Text) for row in _content(b)
    ]


def _content(block: Block) -> list[object]:
    match block:
        case Facts(rows=rows) | Table(rows=rows):
            return list(rows)
        case Lines(lines=lines):
            return list(lines)
    return []


LINES = st.sampled_from([entry.usage for entry in command_table.COMMANDS] + ["/why " + "x" * 60])


@given(
    page=st.integers(1, 999),
    line=LINES,
    origin=st.none() | st.builds(Spot, st.integers(1, 999), LINES),
)
def test_no_payload_is_longer_than_telegram_takes_and_each_leads_where_it_says(
    page: int, line: str, origin: Spot | None
) -> None:
    payload = Place(Spot(page, line), origin).write()

    if payload is None:
        assert len(line) > PAYLOAD_BYTES_MAX - len("s:999:")
        return
    assert len(payload.encode()) <= PAYLOAD_BYTES_MAX
    place = read_place(payload)
    assert place is not None
    assert place.spot == Spot(page, line)
    assert place.origin in {origin, None}


def test_a_page_beyond_the_last_is_the_last() -> None:
    answer = Answer(
        screen=Screen(title="t", blocks=tuple(Text(f"line {n}") for n in range(40))),
        buttons=((Button(label="Status", line="/status"),),),
    )

    shown = show_page(answer, place=Place(Spot(99, "/help")), parent="status", now_ns=0)

    assert shown.answer.screen.blocks[-1] == Text("line 39")
    assert [key.label for row in shown.keys for key in row][-3:] == ["‹ 3/4", "‹ Back", "Refresh"]


def test_the_line_of_an_invocation_asks_for_the_same() -> None:
    for line in ("/why r7-12 picture", "/trades 3", "/help safety", "/status"):
        asked = read_line(line)
        assert isinstance(asked, Invocation)
        assert asked.line == line
        assert read_line(asked.line) == asked
