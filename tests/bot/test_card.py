"""The live card: one pinned message that says how things stand, and waits for all others."""

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from bot.render import words
from bot.render.card import CardFacts, card_buttons, render_card, worst_limit
from bot.render.pages import make_pages
from bot.telegram.card import VALID_FOR
from bot.telegram.outbox import Outbox
from bot.telegram.outgoing import Outgoing, Priority, Settled
from bot.telegram.pacing import Pace
from engine.domain.modes import Mode
from engine.domain.units import NS_PER_S
from engine.requests.overview import GetStatus
from tests.bot import samples
from tests.bot.conftest import Chat
from tests.telegram.chats import Entry
from tests.telegram.faults import Fault, Kind

EVERY_S = 0.02


def served(chat: Chat) -> AbstractAsyncContextManager[asyncio.Task[None]]:
    chat.emulator.person_writes("hello")  # no bot may write first
    return chat.start_with(card_s=EVERY_S)


def cards(chat: Chat) -> list[Entry]:
    return [entry for entry in chat.emulator.chats.from_bot() if "valid until" in entry.text]


async def card_of(chat: Chat) -> Entry:
    """Wait until there is a pinned card."""
    await chat.emulator.wait_until(lambda: any(one.is_pinned for one in cards(chat)))
    (card,) = (one for one in cards(chat) if one.is_pinned)
    return card


async def test_the_card_is_pinned_without_a_sound_and_changes_in_place(chat: Chat) -> None:
    async with served(chat):
        card = await card_of(chat)
        assert "Observe: running" in card.text
        chat.facade.is_paused = True
        await chat.emulator.wait_until(lambda: "paused" in card.text)
        await chat.say("/kill")
        await chat.emulator.wait_until(lambda: "KILLED" in card.text)

    assert cards(chat) == [card]
    assert card.is_silent
    (pin,) = [given for method, given in chat.emulator.calls if method == "pinChatMessage"]
    assert pin["disable_notification"] in {"true", "True", True}


async def test_the_card_says_until_when_it_counts_and_is_written_anew_before_that(
    chat: Chat,
) -> None:
    async with served(chat):
        card = await card_of(chat)
        first = card.text
        chat.clock.advance(20)
        await chat.emulator.wait_until(lambda: card.text != first)

    assert first.removesuffix(first.splitlines()[-1]) == card.text.removesuffix(
        card.text.splitlines()[-1]
    )


async def test_a_card_that_is_looked_at_rarely_counts_for_longer(chat: Chat) -> None:
    chat.emulator.person_writes("hello")
    async with chat.start_with(card_s=EVERY_S, eased=lambda _: 600.0):
        card = await card_of(chat)

    until = words.clock(chat.clock() + int(VALID_FOR * 600.0 * NS_PER_S))
    assert f"valid until {until}" in card.text


async def test_what_has_not_changed_is_written_on_the_sixth_look_only(chat: Chat) -> None:
    async with served(chat):
        await card_of(chat)
        before = chat.facade.entered[GetStatus]
        edits = len([1 for method, _ in chat.emulator.calls if method == "editMessageText"])
        await chat.facade.wait_until_entered(GetStatus, before + 30)
        looks = chat.facade.entered[GetStatus] - before
        calls = [method for method, _ in chat.emulator.calls if method == "editMessageText"]

    assert 1 <= len(calls) - edits <= looks / 6 + 1


async def test_a_deleted_card_comes_back_pinned_and_is_the_only_one_then(chat: Chat) -> None:
    async with served(chat):
        gone = await card_of(chat)
        chat.emulator.chats.entries.remove(gone)
        chat.facade.is_paused = True
        card = await card_of(chat)
        assert card.message_id != gone.message_id
        chat.facade.is_paused = False
        await chat.emulator.wait_until(lambda: "running" in card.text)

    assert cards(chat) == [card]


async def test_a_chat_that_starts_again_goes_on_with_its_card(chat: Chat) -> None:
    async with served(chat):
        card = await card_of(chat)
        await chat.emulator.wait_until(lambda: bool(chat.facade.threads))
    chat.facade.is_paused = True
    async with served(chat):
        await chat.emulator.wait_until(lambda: "paused" in card.text)

    assert cards(chat) == [card]


async def test_a_card_that_cannot_be_written_holds_up_nothing(chat: Chat) -> None:
    async with served(chat):
        card = await card_of(chat)
        chat.emulator.script("editMessageText", *[Fault(Kind.SERVER_ERROR, status=502)] * 3)
        chat.facade.is_paused = True
        await chat.say("/version")
        await chat.emulator.wait_until(lambda: "paused" in card.text)

    assert cards(chat) == [card]


async def test_the_card_says_that_the_engine_does_not_answer(chat: Chat) -> None:
    async with served(chat):
        card = await card_of(chat)
        chat.facade.is_engine_away = True
        await chat.emulator.wait_until(lambda: "No answer from the engine" in card.text)
        assert [b["text"] for row in card.buttons for b in row] == ["KILL"]
        chat.emulator.person_taps("KILL", message_id=card.message_id)
        await chat.wait_until(lambda: chat.facade.is_killed)
        chat.facade.is_engine_away = False
        await chat.emulator.wait_until(lambda: "KILLED" in card.text)


async def test_screens_from_the_card_leave_it_where_it_is(chat: Chat) -> None:
    async with served(chat):
        card = await card_of(chat)
        chat.emulator.person_taps("Opportunities", message_id=card.message_id)
        await chat.emulator.wait_until(
            lambda: any("1 open" in one.text for one in chat.emulator.chats.from_bot())
        )

    assert "valid until" in card.text


async def test_while_a_person_is_asked_the_card_counts_what_waits_and_what_mandates_have_left(
    chat: Chat,
) -> None:
    chat.facade.mode = Mode.APPROVE
    async with served(chat):
        card = await card_of(chat)
        waiting = len(samples.approvals().waiting)
        (use,) = samples.mandates().open
        assert f"Approvals {waiting} wait" in " ".join(card.text.split())
        left, total = use.left_usd, use.mandate.total_usd_max
        assert f"1, ${left:,.0f} of ${total:,.0f} left" in " ".join(card.text.split())
        chat.emulator.person_taps(f"Approvals ({waiting})", message_id=card.message_id)
        await chat.emulator.wait_until(
            lambda: any("Each is approved below" in one for one in chat.emulator.transcript())
        )


class Held:
    """Sends nothing until it is let go; keeps what it was given."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, message: Outgoing) -> None:
        self.sent.append(message.html)


async def test_a_card_gives_way_to_whatever_is_queued_after_it() -> None:
    sender = Held()
    settled: list[Settled] = []
    pace = Pace(per_s=1.0, burst=1, now_s=lambda: 0.0)
    pace.take()  # nothing ordinary may go now
    outbox = Outbox(sender, pace=pace)
    for priority in (Priority.CARD, Priority.URGENT):
        outbox.put(Outgoing(html=priority.name, priority=priority, on_settled=settled.append))
    sending = asyncio.create_task(outbox.run())
    await outbox.drain(deadline_s=1)
    sending.cancel()

    assert sender.sent == ["URGENT"]
    assert settled == [Settled.OVERTAKEN, Settled.DELIVERED]


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_card_fits_a_phone_and_has_no_more_than_two_rows_of_buttons(
    mode: Mode, *, is_killed: bool
) -> None:
    status = samples.status(mode=mode, is_killed=is_killed)
    facts = CardFacts(
        status=status,
        limits=samples.limits(),
        exposure=samples.exposure(),
        approvals=samples.approvals() if mode is Mode.APPROVE else None,
        mandates=samples.mandates() if mode is Mode.APPROVE else None,
    )

    assert len(make_pages(render_card(facts))) == 1
    assert len(card_buttons(facts)) == (3 if mode is Mode.APPROVE else 2)


def test_the_worst_limit_is_the_one_of_which_most_is_used() -> None:
    found = worst_limit(samples.limits())

    assert found is not None
    assert (found[0].name, f"{found[1]:.2f}") == ("position", "1.00")


def test_what_nobody_waits_for_leaves_a_part_of_the_burst_to_what_somebody_does() -> None:
    now = [0.0]
    pace = Pace(per_s=1.0, burst=5, now_s=lambda: now[0])
    for _ in range(3):
        assert pace.wait_s(reserve=2.0) == 0
        pace.take()
    assert pace.wait_s(reserve=2.0) == pytest.approx(1.0)
    assert pace.wait_s() == 0
    now[0] = 1.0
    assert pace.wait_s(reserve=2.0) == 0
    small = Pace(per_s=1.0, burst=1, now_s=lambda: 0.0)
    assert small.wait_s(reserve=2.0) == 0, "a pace without a burst must not stop news for ever"


async def test_an_answer_goes_while_news_waits_for_its_pace() -> None:
    sender = Held()
    now = [0.0]
    pace = Pace(per_s=1.0, burst=5, now_s=lambda: now[0])
    outbox = Outbox(sender, pace=pace)
    for number in range(5):
        outbox.put(Outgoing(html=f"news {number}", priority=Priority.NOTICE))
    sending = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    while len(sender.sent) < 3:
        await asyncio.sleep(0)
    outbox.put(Outgoing(html="answer", priority=Priority.ANSWER))
    while "answer" not in sender.sent:
        await asyncio.sleep(0)
    sending.cancel()

    assert sender.sent == ["news 0", "news 1", "news 2", "answer"]
