"""What nobody acknowledges goes out by other ways, whatever becomes of the chat."""

import asyncio
import json
import logging

import pytest

from bot.alerts.alert import Alert, Severity
from bot.pager import Pager
from engine.bus.notices import StampedNotice
from engine.domain.redaction import redact, remember_secrets
from tests.bot import samples
from tests.bot.alerts.makers import killed, lost
from tests.bot.conftest import Chat
from tests.bot.receivers import http_receiver, smtp_receiver
from tests.bot.samples import AT_NS
from tests.telegram.faults import Fault, Kind

pytestmark = [pytest.mark.slow]  # each page is a process


def alert() -> Alert:
    return Alert(
        fingerprint="killed",
        kind="kill",
        severity=Severity.P1,
        episode=1,
        since_ns=AT_NS,
        last_at_ns=AT_NS,
        newest=StampedNotice(seq=7, notice=killed()),
        fired_at_ns=AT_NS,
        seen_at_ns=AT_NS,
        pages_due=1,
    )


async def test_an_alert_goes_out_by_http_and_by_mail() -> None:
    async with smtp_receiver() as (mailbox, port), http_receiver() as taken:
        mail = f"mailto://127.0.0.1:{port}?from=bot@example.org&to=me@example.org&mode=insecure"
        pager = Pager(urls=(f"json://{taken.address}/hook", mail))

        failed = await pager.send(alert(), to=pager.urls, now_ns=AT_NS)

    assert failed == []
    ((path, body),) = taken.calls
    assert path == "/hook"
    assert json.loads(body)["title"] == "Syndicate: KILLED: no plans are made"
    assert "KILLED" in mailbox.letters[0]


async def test_an_address_that_does_not_take_it_is_tried_again_and_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with http_receiver() as good, http_receiver() as bad:
        bad.refuses = 1
        urls = (f"json://{good.address}/good", f"json://user:hunter2@{bad.address}/bad")
        pager = Pager(urls=urls)
        with caplog.at_level(logging.INFO):
            failed = await pager.send(alert(), to=urls, now_ns=AT_NS)

    assert failed == [urls[1]]
    assert good.paths() == ["/good"]
    assert "hunter2" not in caplog.text
    assert "hunter2" not in repr(pager)


async def test_it_goes_out_while_telegram_is_away_and_stops_with_the_acknowledgement(
    chat: Chat,
) -> None:
    async with (
        http_receiver() as taken,
        chat.start_with(alert_urls=(f"json://{taken.address}/page",)),
    ):
        await chat.say("/start")
        chat.emulator.block()
        chat.facade.tell(samples.killed())
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram-alerts") == 1)
        chat.clock.advance(61)
        await taken.until(1)
        chat.emulator.block(is_blocked=False)
        await chat.say("/ack killed")
        chat.clock.advance(3_600)
        await chat.say("/alerts")

    assert len(taken.calls) == 1


async def test_it_goes_out_while_two_alerts_wait_for_the_end_of_a_429(chat: Chat) -> None:
    async with (
        http_receiver() as taken,
        chat.start_with(alert_urls=(f"json://{taken.address}/page",)),
    ):
        await chat.say("/start")
        too_many = [Fault(Kind.TOO_MANY, retry_after_s=600)] * 9
        chat.emulator.script("sendMessage", *too_many)
        chat.facade.tell(lost(), samples.killed())
        await chat.wait_until(lambda: chat.facade.delivered.get("telegram-alerts") == 2)
        await chat.emulator.wait_until(lambda: len(chat.emulator._scripts["sendMessage"]) < 9)
        chat.clock.advance(61)
        await taken.until(1)
        chat.emulator.forget_faults()


async def test_a_way_out_that_hangs_holds_up_nothing(chat: Chat) -> None:
    async with http_receiver() as taken:
        taken.is_silent = True
        async with chat.start_with(alert_urls=(f"json://{taken.address}/page",)):
            await chat.say("/start")
            chat.facade.tell(samples.killed())
            await chat.emulator.wait_until(lambda: "KILLED" in chat.emulator.transcript()[-1])
            chat.clock.advance(121)
            await chat.emulator.wait_until(
                lambda: sum("KILLED" in text for text in chat.emulator.transcript()) == 2
            )
            assert "1! killed" in await chat.say("/alerts")


async def test_the_end_of_what_went_out_goes_out(chat: Chat) -> None:
    unkilled = next(one for one in samples.all_notices() if type(one).__name__ == "Unkilled")
    async with (
        http_receiver() as taken,
        chat.start_with(alert_urls=(f"json://{taken.address}/page",)),
    ):
        await chat.say("/start")
        chat.facade.tell(samples.killed())
        await chat.emulator.wait_until(lambda: "KILLED" in chat.emulator.transcript()[-1])
        chat.clock.advance(121)
        await taken.until(1)
        chat.facade.tell(unkilled)
        await taken.until(2)

    assert json.loads(taken.calls[1][1])["title"] == "Syndicate: Over: KILLED: no plans are made"


def test_an_address_is_hidden_in_whatever_is_logged() -> None:
    url = "pagerduty://A1-integration-key@service"
    remember_secrets([url])

    assert "A1-integration" not in redact(f"could not reach {url}")


async def test_a_cancelled_page_leaves_no_process() -> None:
    async with http_receiver() as taken:
        taken.is_silent = True
        pager = Pager(urls=(f"json://{taken.address}/page",))
        sending = asyncio.create_task(pager.send(alert(), to=pager.urls, now_ns=AT_NS))
        await asyncio.sleep(0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_a_trial_says_which_ways_out_there_are_and_which_took_it(chat: Chat) -> None:
    async with http_receiver() as good, http_receiver() as bad:
        bad.refuses = 1
        urls = (f"json://{good.address}/good", f"form://user:hunter2@{bad.address}/bad")
        async with chat.start_with(alert_urls=urls):
            text = await chat.say("/alerts test")
        async with chat.start():
            without = await chat.say("/alerts test")

    assert "Taken by json" in text
    assert "NOT taken by form" in text
    assert "hunter2" not in text
    assert json.loads(good.calls[0][1])["title"] == "Syndicate: a trial"
    assert "No other way out is set" in without
