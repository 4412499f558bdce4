from pathlib import Path

import pytest

from tests.scenarios.rig import running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


async def test_a_phone_watches_steers_and_kills_a_running_installation(tmp_path: Path) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone) as installation,
    ):
        await installation.until_live()

        assert "observe" in (await installation.say("/status", "observe")).lower()
        await installation.say("/mode paper", "paper")
        await phone.wait_until(lambda: any(e.buttons for e in phone.chats.entries))
        phone.person_taps("Yes")
        await installation.until_status(lambda status: status.mode == "paper")
        await installation.until_status(lambda status: status.traded > 0)
        trades = await installation.trades()
        await installation.say("/trades", trades.trades[-1].pair)
        await installation.say("/pnl", "USD")
        await installation.say("/kill enough", "illed")
        status = await installation.until_status(lambda status: status.is_killed)
        planned = status.planned
        await installation.until_status(
            lambda status: status.found > status.planned and status.refused.get("killed", 0) > 0
        )
        assert (await installation.until_live()).planned == planned

        assert await installation.stop() == 0
