"""Notices reach the operator once they are stored, in order, numbered, and bursts as one."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.alerts.table import Way, row_of
from bot.dispatch import Invocation, read_line
from bot.notice_buttons import buttons_of
from bot.render.html import write_html
from bot.render.notices import render_notice
from bot.render.plain import write_plain
from bot.telegram.places import PAYLOAD_BYTES_MAX
from engine.bus.notices import (
    ApprovalAsked,
    ApprovalEnded,
    ModeChanged,
    Notice,
    PaperTraded,
    StampedNotice,
    Started,
    VenuesBack,
    VenuesLost,
)
from engine.domain.modes import SENT, Basis
from engine.facade.news import RoleEnded
from tests.bot import samples
from tests.bot.conftest import Chat
from tests.telegram.faults import Fault, Kind
from tests.telegram.markup import parse_html


async def test_every_kind_of_notice_is_told_with_number_and_basis(chat: Chat) -> None:
    notices = [
        one
        for one in samples.all_notices()
        if row_of(one).way is not Way.ACT and not isinstance(one, (VenuesLost, VenuesBack))
    ]  # the last two are found by a chat from what venues are told

    async with chat.start():
        await chat.say("/start")
        for number, notice in enumerate(notices, start=1):
            chat.clock.advance(30)
            chat.facade.tell(notice)
            basis = "sandbox live" if notice.basis in SENT else "sandbox, paper"
            await chat.emulator.wait_until(
                lambda number=number, basis=basis: any(  # type: ignore[misc]
                    f"#{number} " in text and basis in text for text in chat.emulator.transcript()
                )
            )


async def test_small_opportunities_are_not_told_but_confirmed(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.seen(profit_usd=4.99), samples.seen(profit_usd=5.0))
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 2)

    said = chat.emulator.transcript()[1:]
    assert len(said) == 1
    assert "+$5.00" in said[0]


async def test_a_burst_of_opportunities_is_one_message_and_a_kill_among_them_its_own(
    chat: Chat,
) -> None:
    for number in range(30):
        chat.facade.tell(samples.seen(profit_usd=10 + number, number=number))
    chat.facade.tell(samples.killed())

    async with chat.start():
        chat.emulator.person_writes("/start")
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 31)
        await chat.emulator.wait_until(lambda: "KILLED" in "".join(chat.emulator.transcript()))

    said = "\n".join(chat.emulator.transcript())
    assert said.count("KILLED") == 1
    assert "30 notices" in said
    assert "Best: BTC-USD coinbase→bitstamp +$39.00" in said
    assert len(chat.emulator.transcript()) <= 4


async def test_notices_that_were_not_confirmed_are_told_again_with_the_same_number(
    chat: Chat,
) -> None:
    chat.facade.tell(samples.killed())
    async with chat.start():
        await chat.say("/start", answers=2)
    chat.facade.delivered.clear()
    chat.facade.states.clear()

    async with chat.start():
        await chat.emulator.wait_until(
            lambda: sum("#1 " in text for text in chat.emulator.transcript()) == 2
        )


async def test_notices_wait_for_the_ledger(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.is_ledger_away = True
        chat.facade.tell(samples.killed())
        await chat.say("/version")
        chat.facade.is_ledger_away = False
        chat.facade.notify()
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 1)


def traded(number: int = 12) -> PaperTraded:
    notice = next(one for one in samples.all_notices() if isinstance(one, PaperTraded))
    return replace(notice, opportunity_id=f"r7-{number}")


async def until_delivered(chat: Chat, number: int) -> None:
    await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == number)


async def test_a_trade_is_one_message_that_is_edited_from_found_to_realised(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.seen())
        await until_delivered(chat, 1)
        chat.facade.tell(samples.killed(), traded())
        await until_delivered(chat, 3)
        await chat.emulator.wait_until(lambda: len(chat.emulator.transcript()) == 3)

    found, killed = chat.emulator.chats.from_bot()[1:]
    assert "KILLED" in killed.text
    assert found.edits == 1
    assert "Paper trade +$1.19" in found.text
    assert "planned +$1.28" in found.text
    assert [button["text"] for button in found.buttons[0]] == ["Why", "Trades"]


async def test_a_lost_edit_of_a_trade_comes_as_a_new_message(chat: Chat) -> None:
    chat.emulator.script("editMessageText", Fault(Kind.BAD_MARKUP))

    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.seen())
        await until_delivered(chat, 1)
        chat.facade.tell(traded())
        await until_delivered(chat, 2)

    assert ["Opportunity" in text for text in chat.emulator.transcript()[1:]] == [True, False]
    assert "Paper trade +$1.19" in chat.emulator.transcript()[-1]


async def test_a_trade_edits_its_message_after_a_restart_too(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.seen())
        await until_delivered(chat, 1)
    async with chat.start():
        chat.facade.tell(traded())
        await until_delivered(chat, 2)
    chat.facade.delivered["telegram"] = 1
    async with chat.start():
        await until_delivered(chat, 2)
    async with chat.start():
        chat.facade.tell(replace(traded(), profit_usd=Decimal(2)))
        await until_delivered(chat, 3)

    (found,) = chat.emulator.chats.from_bot()[1:]
    assert "Paper trade +$2.00" in found.text, "also after it was told twice"


async def test_another_bot_edits_no_message_of_the_one_before(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.seen())
        await until_delivered(chat, 1)
    token = chat.emulator.token = "888" + chat.emulator.token[3:]
    async with chat.start_with(telegram_token=token):
        chat.facade.tell(traded())
        await until_delivered(chat, 2)

    assert "Opportunity" in chat.emulator.transcript()[1]
    assert "Paper trade" in chat.emulator.transcript()[2]


async def test_found_and_traded_at_once_is_one_message(chat: Chat) -> None:
    chat.facade.tell(samples.seen(), traded())

    async with chat.start():
        chat.emulator.person_writes("/version")
        await until_delivered(chat, 2)

    assert sum("r7-12" in text for text in chat.emulator.transcript()) == 1


async def test_a_change_of_mode_is_told_once_to_who_asked_for_it(chat: Chat) -> None:
    change = next(one for one in samples.all_notices() if isinstance(one, ModeChanged))
    async with chat.start():
        await chat.say("/mode observe")
        chat.facade.tell(
            replace(change, by="telegram:4242"), replace(change, by="shell of someone")
        )
        await chat.emulator.wait_until(
            lambda: "by shell of someone" in chat.emulator.transcript()[-1]
        )

    assert len(chat.emulator.transcript()) == 2
    assert "by shell of someone" in chat.emulator.transcript()[-1]


async def test_news_of_a_role_that_ended_has_a_button(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/start")
        chat.news.put_nowait(RoleEnded("ledger", "no space left"))
        await chat.emulator.wait_until(lambda: "no space left" in chat.emulator.transcript()[-1])

        rows = chat.emulator.chats.from_bot()[-1].buttons
        assert [[button["text"] for button in row] for row in rows] == [["Ack"], ["Status"]]


@pytest.mark.parametrize("notice", samples.all_notices(), ids=lambda n: type(n).__name__)
def test_every_notice_has_buttons_that_a_phone_can_carry(notice: Notice) -> None:
    rows = buttons_of(notice)

    assert 1 <= len(rows) <= (3 if isinstance(notice, ApprovalAsked) else 1)
    assert all(1 <= len(row) <= 3 for row in rows)
    for button in [button for row in rows for button in row]:
        asked = read_line(button.line)
        assert isinstance(asked, Invocation)
        assert asked.entry.is_on_buttons
        assert len(f"m:{button.line}".encode()) <= PAYLOAD_BYTES_MAX


@pytest.mark.parametrize(
    "notice", [n for n in samples.all_notices() if isinstance(n, ModeChanged | Started)]
)
def test_a_notice_while_killed_never_says_running(notice: ModeChanged | Started) -> None:
    stamped = StampedNotice(seq=1, notice=replace(notice, is_killed=True))

    text = write_plain(render_notice(stamped))

    assert "KILLED" in text.splitlines()[0]
    assert "running" not in text


@pytest.mark.parametrize("notice", samples.all_notices(), ids=lambda n: type(n).__name__)
def test_every_notice_fits_a_phone(notice: object) -> None:
    screen = render_notice(StampedNotice(seq=1_000_000, notice=notice))  # type: ignore[arg-type]
    text, _ = parse_html(write_html(screen)[0])
    has_terms = isinstance(notice, (ApprovalAsked, ApprovalEnded))
    assert len(text.splitlines()) <= (12 if has_terms else 6)


def test_a_transaction_that_reverted_is_told_with_its_gas_and_why() -> None:
    notice = replace(traded(), profit_usd=Decimal("-0.36"), why_reverted="it gains 1, least 2")

    text = write_plain(render_notice(StampedNotice(seq=1, notice=notice)))

    assert "Paper transaction reverted -$0.36" in text
    assert "it gains 1, least 2; planned" in text


async def test_what_a_person_is_asked_waits_for_no_other_news_and_is_not_told_once_it_has_expired(
    chat: Chat,
) -> None:
    now_ns = chat.clock.now_ns
    approval = replace(samples.approval(), expires_at_ns=now_ns + 60 * 10**9)
    asked = ApprovalAsked(
        at_ns=samples.AT_NS, basis=Basis.SANDBOX, approval=approval, nonce="0" * 12
    )
    late = replace(asked, approval=replace(approval, approval_id="r7-a9", expires_at_ns=now_ns - 1))
    async with chat.start():
        await chat.say("/start")
        chat.facade.tell(samples.seen(profit_usd=50.0), late, asked)
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 3)

    said = {text.splitlines()[0].lstrip("⚠ ") for text in chat.emulator.transcript()[1:]}
    assert said == {"Approve? +$41.30 expected", "Opportunity +$50.00 +0.128%"}


async def test_who_opens_the_chat_late_is_told_of_all_that_ended_meanwhile_as_one(
    chat: Chat,
) -> None:
    for number in range(30):
        approval_id = f"r7-b{number}"
        chat.facade.tell(
            ApprovalEnded(
                at_ns=samples.AT_NS,
                basis=Basis.SANDBOX,
                approval=replace(samples.approval(), approval_id=approval_id),
                nonce=f"{number:012x}",
                end=replace(samples.approval_end(), approval_id=approval_id),
            )
        )

    async with chat.start():
        chat.emulator.person_writes("/start")
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram") == 30)

    said = "\n".join(chat.emulator.transcript())
    assert len(chat.emulator.transcript()) <= 3
    assert "Asked, and ended" in said
    assert "30 notices" in said
