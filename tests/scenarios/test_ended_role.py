"""A role that ends for good while all run: told on the phone, and the others stay."""

import resource
from pathlib import Path

import psutil
import pytest

from engine.operate import exit_codes
from tests.scenarios.rig import CALM, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


async def test_a_ledger_on_a_full_disk_is_told_on_the_phone_and_the_chat_stays(
    tmp_path: Path,
) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=CALM) as installation,
    ):
        await installation.until_live()
        await installation.say("/version", "Commit")
        ledger = psutil.Process(installation.role("ledger").pid)
        ledger.rlimit(psutil.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))

        phone.person_writes("/pause")
        told = await installation.until_told("ledger has ended for good")
        assert "disk" in told or "space" in told
        await installation.say("/status", "Latency")
        assert "KILLED" in await installation.say("/kill enough", "KILLED")

        assert await installation.stop() == exit_codes.FATAL
        printed = (tmp_path / "var.log").read_text()
    assert f"exit code {exit_codes.FATAL}: " in printed
    assert "Traceback" not in printed
