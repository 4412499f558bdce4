"""A kill undoes whatever was asked before it, by real processes that are killed in between."""

import os
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pyotp
import pytest

from tests.scenarios.rig import CALM, Installation, run_engine_command, running_installation
from tests.storage.model import put_empty_ledger
from tests.telegram.emulator import TelegramEmulator
from tests.telegram.faults import Fault, Kind

pytestmark = pytest.mark.slow

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def running(data_dir: Path, phone: TelegramEmulator) -> AbstractAsyncContextManager[Installation]:
    return running_installation(
        data_dir,
        phone,
        speed=CALM,
        SYNDICATE_OPERATOR_TOTP_SECRET=SECRET,
        SYNDICATE_PAPER_MODE_AT_FIRST_START="paper",
    )


def a_code() -> str:
    return pyotp.TOTP(SECRET).at(int(time.time()))


def _kill_by_hand(data_dir: Path, *, seconds_ago: int) -> None:
    latch = data_dir / "kill-latch"
    latch.write_text("stop\n")
    at_s = time.time() - seconds_ago
    os.utime(latch, (at_s, at_s))


async def test_an_unkill_that_waits_at_telegram_does_not_undo_the_shells_later_kill(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    put_empty_ledger(data_dir)
    async with TelegramEmulator().serve() as phone:
        _kill_by_hand(data_dir, seconds_ago=60)
        phone.person_writes(f"/unkill {a_code()}")
        assert (await run_engine_command(data_dir, "kill"))[0] == 0

        async with running(data_dir, phone) as installation:
            await installation.until_told("set or cleared after this was asked")
            status = await installation.until_live()

            assert status.is_killed
            assert status.planned == 0


@pytest.mark.campaign
async def test_an_unkill_that_was_carried_out_is_not_carried_out_again_after_a_shells_kill(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with TelegramEmulator().serve() as phone:
        async with running(data_dir, phone) as installation:
            await installation.until_live()
            await installation.say("/version", "Commit")
            _kill_by_hand(data_dir, seconds_ago=5)
            await installation.until_status(lambda status: status.is_killed)
            await phone.wait_until(lambda: not phone.unconfirmed())
            # The network goes after the update came: neither its receipt nor an answer gets out.
            phone.script("getUpdates", *[Fault(Kind.SERVER_ERROR)] * 7)
            phone.script("sendMessage", *[Fault(Kind.SERVER_ERROR)] * 20)
            phone.person_writes(f"/unkill {a_code()}")
            await installation.until_status(lambda status: not status.is_killed)
            await installation.end_at_once()
        phone.forget_faults()
        assert phone.unconfirmed(), "Telegram delivers the update once more"
        assert (await run_engine_command(data_dir, "kill"))[0] == 0

        async with running(data_dir, phone) as installation:
            await phone.wait_until(lambda: not phone.unconfirmed())
            await installation.say("/version", "Commit")
            status = await installation.until_live()

            assert status.is_killed
            assert status.planned == 0
