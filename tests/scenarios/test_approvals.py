"""From the first prompt to a trade, a mandate, a kill and back, on the phone alone."""

from pathlib import Path

import pytest

from tests.scenarios.rig import Installation, run_engine_command, running_installation
from tests.telegram.chats import Entry
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


def button_of(entry: Entry, label: str) -> str | None:
    """Return what a button of a message carries, None if it has none of this label."""
    for row in entry.buttons:
        for button in row:
            if label in button["text"]:
                payload: str = button["callback_data"]
                return payload
    return None


def waiting(phone: TelegramEmulator, label: str) -> list[tuple[Entry, str]]:
    """Return the messages that have a button of this label now."""
    found = [(entry, button_of(entry, label)) for entry in phone.chats.from_bot()]
    return [(entry, payload) for entry, payload in found if payload is not None]


async def approve_until_traded(installation: Installation) -> Entry:
    """Tap what is asked for until one of them was carried out: the market may leave the others."""
    phone = installation.phone
    tapped: set[int] = set()

    def traded() -> list[Entry]:
        return [e for e in phone.chats.from_bot() if e.text.lstrip("✔⚠ ").startswith("Approved tr")]

    while not traded():
        await phone.wait_until(
            lambda: bool(
                traded()
                or [e for e, _ in waiting(phone, "Approve $") if e.message_id not in tapped]
            )
        )
        for entry, payload in waiting(phone, "Approve $"):
            if entry.message_id not in tapped:
                tapped.add(entry.message_id)
                phone.tap_raw(entry, payload)
                phone.tap_raw(entry, payload)  # a thumb is quick: the second does nothing
    return traded()[0]


async def test_a_newcomer_approves_grants_sees_it_spend_kills_and_brings_it_back(
    tmp_path: Path,
) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=6) as installation,
    ):
        await installation.until_live()
        await installation.go_up_to("approve")
        assert (await installation.until_status(lambda now: now.mode == "approve")).traded == 0

        entry = await approve_until_traded(installation)
        assert "worst allowed" in entry.text
        assert "Terms" in entry.text
        assert button_of(entry, "Approve $") is None
        report = await installation.trades()
        asked = (await installation.until_status(lambda now: now.traded >= 1)).traded
        assert report.total >= 1

        await installation.say("/mandate any 5000 10m", "Grant a mandate?")
        phone.person_taps("Grant it")
        await installation.until_told("holds")
        await installation.until_status(lambda now: now.traded > asked)

        await installation.say("/kill", "KILLED")
        killed = await installation.until_status(lambda now: now.is_killed)
        await phone.wait_until(lambda: not waiting(phone, "Approve $"))
        assert "None is granted" in await installation.say("/mandates", "None is granted")
        assert (await installation.until_live()).planned == killed.planned

        seen = len(phone.transcript())
        done, said = await run_engine_command(tmp_path / "var", "unkill", stdin=b"clear\n")
        assert (done, "the latch is clear" in said) == (0, True)
        await installation.until_told("Approve?", after=seen)
