"""The pager kills where the main bot's token is refused, in processes as they are run."""

from pathlib import Path

import pytest

from tests.scenarios.rig import CALM, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow

PAGER_TOKEN = "888000222:AAP-emulated_token_of_thirtyfive_ch"
REFUSED_TOKEN = "987654321:AAwrong-token-of-thirty-five-characters"


async def test_a_kill_by_the_pager_is_latched_though_telegram_refuses_the_main_token(
    tmp_path: Path,
) -> None:
    phone = TelegramEmulator()
    pager = phone.with_bot(PAGER_TOKEN)
    async with (
        phone.serve(),
        running_installation(
            tmp_path / "var",
            phone,
            speed=CALM,
            TELEGRAM_BOT_TOKEN=REFUSED_TOKEN,
            SYNDICATE_TELEGRAM_PAGER_TOKEN=PAGER_TOKEN,
        ) as installation,
    ):
        await installation.until_live()
        pager.person_writes("/start")
        await pager.wait_until(lambda: "refuses the main bot's token" in str(pager.transcript()))
        pager.person_writes("KILL")
        await pager.wait_until(lambda: any("Latch file: set" in t for t in pager.transcript()))
        await installation.until_status(lambda status: status.is_killed)

    said = (tmp_path / "var.log").read_text()
    assert "the pager goes on" in said
    assert "go on without the bot" not in said
    logs = "".join(path.read_text() for path in (tmp_path / "var" / "logs").iterdir())
    assert REFUSED_TOKEN not in said + logs
    assert PAGER_TOKEN not in said + logs
