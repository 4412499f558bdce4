"""A plan that two people have to approve, each on a phone of their own."""

import asyncio
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from bot.run import run
from engine.bus.command import seal
from engine.bus.reports import Acknowledged
from engine.domain.modes import Mode
from engine.domain.people import Person
from engine.facade.front_end import FrontEndSettings
from engine.requests.safety import SetMode
from engine.settings.schema import ApprovalsSettings, MarketsSettings, Settings
from engine.wiring.one_process import open_roles
from tests.bot.people import COLLEAGUE, OWNER
from tests.patience import insist
from tests.storage.model import prepared
from tests.telegram.chats import Entry
from tests.telegram.emulator import TOKEN, TelegramEmulator

pytestmark = pytest.mark.slow

SETTINGS = Settings(
    markets=MarketsSettings(sandbox_speed=1.0),
    approvals=ApprovalsSettings(wait_s=3_600, two_operators_usd=Decimal("0.01")),
)


@pytest.fixture
async def phones(tmp_path: Path) -> AsyncIterator[TelegramEmulator]:
    async with (
        TelegramEmulator().serve() as phones,
        open_roles(SETTINGS, prepared(tmp_path)) as facade,
    ):
        wanted = SetMode(mode=Mode.APPROVE, is_confirmed=True)
        done = await insist(facade, seal(wanted, by=OWNER.name, at_ns=time.time_ns()))
        assert isinstance(done, Acknowledged)
        stop = asyncio.Event()
        settings = FrontEndSettings(
            telegram_token=TOKEN,
            telegram_people=(OWNER, COLLEAGUE),
            telegram_base_url=phones.base_url,
            poll_s=1,
            chat_sends_per_s=200.0,
            chat_send_burst=50,
        )
        serving = asyncio.create_task(run(facade, settings, stop=stop, clock=time.time_ns))
        for person in (OWNER, COLLEAGUE):
            phones.person_writes("/version", person_id=person.user_id)
        yield phones
        stop.set()
        await serving


def asked(phones: TelegramEmulator, person: Person, *, state: str = "") -> list[tuple[Entry, str]]:
    """Return the prompts of a person that can be approved now, with what the button carries."""
    return [
        (entry, button["callback_data"])
        for entry in phones.chats.from_bot()
        if entry.chat_id == person.user_id and state in entry.text
        for row in entry.buttons
        for button in row
        if button["text"].startswith("Approve $")
    ]


def of_plan(phones: TelegramEmulator, person: Person, payload: str) -> Entry:
    """Return the message of a person whose prompt carries the same nonce."""
    (found,) = (entry for entry, carried in asked(phones, person) if carried == payload)
    return found


def can_approve(entry: Entry) -> bool:
    return any(b["text"].startswith("Approve $") for row in entry.buttons for b in row)


def title_of(entry: Entry) -> str:
    return entry.text.partition("\n")[0].lstrip("✔⚠ ")


async def first_yes(phones: TelegramEmulator) -> tuple[Entry, Entry, str]:
    """Have the owner approve, twice, what both are asked for; until one of them still waits."""
    while True:
        await phones.wait_until(lambda: bool(asked(phones, OWNER) and asked(phones, COLLEAGUE)))
        entry, payload = asked(phones, OWNER)[0]
        await phones.wait_until(
            lambda p=payload: any(one == p for _, one in asked(phones, COLLEAGUE))  # type: ignore[misc]
        )
        other = of_plan(phones, COLLEAGUE, payload)
        phones.tap_raw(entry, payload, person_id=OWNER.user_id)
        phones.tap_raw(entry, payload, person_id=OWNER.user_id)
        await phones.wait_until(
            lambda one=entry, two=other: all(
                "1 of 2" in e.text or not can_approve(e) for e in (one, two)
            )  # type: ignore[misc]
        )
        if can_approve(entry):
            return entry, other, payload


async def test_one_yes_is_told_to_both_and_only_the_second_persons_carries_the_plan_out(
    phones: TelegramEmulator,
) -> None:
    while True:
        entry, other, payload = await first_yes(phones)
        phones.tap_raw(other, payload, person_id=COLLEAGUE.user_id)
        await phones.wait_until(
            lambda one=entry, two=other: not can_approve(one) and not can_approve(two)  # type: ignore[misc]
        )
        # The market may leave its terms, or a dearer plan take its place, before the second word.
        await phones.wait_until(lambda one=entry: title_of(one) != "Approved")  # type: ignore[misc]
        if "Approved tr" in entry.text:
            break
    await phones.wait_until(lambda: "Approved tr" in other.text)
    for message in (entry, other):
        assert f"{OWNER.name}" in message.text
        assert f"{COLLEAGUE.name}" in message.text


async def test_one_no_is_a_veto_on_both_phones(phones: TelegramEmulator) -> None:
    entry, other, _ = await first_yes(phones)

    phones.person_taps("Reject", message_id=other.message_id, person_id=COLLEAGUE.user_id)

    await phones.wait_until(lambda: "Rejected" in entry.text and "Rejected" in other.text)
    assert not can_approve(entry)
    assert not can_approve(other)
    assert COLLEAGUE.name in entry.text
