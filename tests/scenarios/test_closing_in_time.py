"""SIGTERM ends an installation whose every role hangs within what systemd and Docker allow."""

import asyncio
import re
import signal
from pathlib import Path

import psutil
import pytest

from engine.operate import exit_codes
from tests.scenarios.rig import CALM, ROLES, ROOT, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.mark.campaign
async def test_all_roles_hung_end_within_the_grace_and_none_is_left(tmp_path: Path) -> None:
    found = re.search(r"stop_grace_period: (\d+)s", (ROOT / "compose.yaml").read_text())
    assert found is not None
    grace_s = int(found.group(1))
    loop = asyncio.get_running_loop()
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, speed=CALM) as installation,
    ):
        await installation.until_live()
        roles = [installation.role(name) for name in ROLES]
        for role in roles:
            role.send_signal(signal.SIGSTOP)
        began_s = loop.time()
        installation.process.terminate()
        code = await installation.process.wait()
        took_s = loop.time() - began_s

    assert took_s < grace_s - 1
    assert code == exit_codes.OK
    assert not [
        role for role in roles if role.is_running() and role.status() != psutil.STATUS_ZOMBIE
    ]
