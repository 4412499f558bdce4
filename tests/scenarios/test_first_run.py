from pathlib import Path

import pytest

from tests.scenarios.rig import run_engine_command, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


async def check_the_command_of_a_list_works(data_dir: Path) -> None:
    code, listed = await run_engine_command(data_dir, "trace")
    assert code == 0
    traded = [line.split() for line in listed.splitlines() if line.endswith("traded")]
    assert traded[0][:2] == ["make", "trace"]
    code, said = await run_engine_command(data_dir, "trace", traded[0][2].removeprefix("ID="))
    assert (code, "FRAME" in said) == (0, True), said


async def test_a_phone_watches_steers_and_kills_a_running_installation(tmp_path: Path) -> None:
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(tmp_path / "var", phone, is_first_start=True) as installation,
    ):
        await installation.until_live()
        status = await installation.say("/status", "Latency")
        assert "Observe" in status
        assert "MB in 4 roles" in status
        code, said = await run_engine_command(tmp_path / "var", "health")
        assert (code, "live books" in said) == (0, True)

        await installation.go_to_paper()
        told = await installation.until_trade_told()
        trades = await installation.trades()
        assert told in {trade.opportunity_id for trade in trades.trades}
        await check_the_command_of_a_list_works(tmp_path / "var")
        shown = await installation.say("/trades", "Trades: ")
        trades = await installation.trades()  # more have come meanwhile
        assert any(f"{one.buy_venue}→{one.sell_venue}" in shown for one in trades.trades)
        assert "$" in await installation.say("/pnl", "PnL, last day")

        await installation.say("/kill enough", "KILLED")
        planned = (await installation.until_status(lambda status: status.is_killed)).planned
        await installation.until_status(lambda status: status.refused.get("killed", 0) > 0)
        assert (await installation.until_live()).planned == planned

        assert await installation.stop() == 0
        printed = (tmp_path / "var.log").read_text()
        assert "syndicate: Telegram answers: write /start to @syn_bot" in printed
        assert "make enroll sets that up" in printed


async def test_a_kill_holds_over_a_restart_and_is_cleared_on_the_host(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    async with TelegramEmulator().serve() as phone:
        async with running_installation(data_dir, phone) as installation:
            await installation.until_live()
            await installation.go_to_paper()
            await installation.say("KILL", "KILLED")
        async with running_installation(data_dir, phone) as installation:
            status = await installation.until_live()
            assert status.is_killed
            assert status.mode == "paper"
            await installation.until_status(lambda status: status.refused.get("killed", 0) > 0)
            assert "host" in await installation.say("/unkill 123456", "host")

            code, said = await run_engine_command(data_dir, "unkill", stdin=b"clear\n")
            assert (code, "the latch is clear" in said) == (0, True)

            await installation.until_status(lambda status: status.planned > 0)
