"""An installation's first two runs, from the first word on the phone to a full disk."""

import resource
from pathlib import Path

import psutil
import pytest

from engine.operate import exit_codes
from tests.scenarios.rig import Installation, run_engine_command, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


async def check_the_command_of_a_list_works(data_dir: Path) -> None:
    code, listed = await run_engine_command(data_dir, "trace")
    assert code == 0
    traded = [line.split() for line in listed.splitlines() if line.endswith("traded")]
    assert traded[0][:2] == ["make", "trace"]
    code, said = await run_engine_command(data_dir, "trace", traded[0][2].removeprefix("ID="))
    assert (code, "FRAME" in said) == (0, True), said


async def check_a_phone_watches_steers_and_kills(installation: Installation) -> None:
    data_dir = installation.data_dir
    await installation.until_live()
    status = await installation.say("/status", "Latency")
    assert "Observe" in status
    assert "MB in 4 roles" in status
    code, said = await run_engine_command(data_dir, "health")
    assert (code, "live books" in said) == (0, True)

    await installation.go_to_paper()
    told = await installation.until_trade_told()
    trades = await installation.trades()
    assert told in {trade.opportunity_id for trade in trades.trades}
    await check_the_command_of_a_list_works(data_dir)
    shown = await installation.say("/trades", "Trades: ")
    trades = await installation.trades()  # more have come meanwhile
    assert any(f"{one.buy_venue}→{one.sell_venue}" in shown for one in trades.trades)
    assert "$" in await installation.say("/pnl", "PnL, last day")

    await installation.say("/kill enough", "KILLED")
    planned = (await installation.until_status(lambda status: status.is_killed)).planned
    await installation.until_status(lambda status: status.refused.get("killed", 0) > 0)
    assert (await installation.until_live()).planned == planned

    assert await installation.stop() == 0
    printed = data_dir.with_name("var.log").read_text()
    assert "syndicate: Telegram answers: write /start to @syn_bot" in printed
    assert "make enroll sets that up" in printed


async def check_the_kill_held_over_the_restart_and_is_cleared_on_the_host(
    installation: Installation,
) -> None:
    status = await installation.until_live()
    assert status.is_killed
    assert status.mode == "paper"
    await installation.until_status(lambda status: status.refused.get("killed", 0) > 0)
    assert "host" in await installation.say("/unkill 123456", "host")

    code, said = await run_engine_command(installation.data_dir, "unkill", stdin=b"clear\n")
    assert (code, "the latch is clear" in said) == (0, True)

    await installation.until_status(lambda status: status.planned > 0)


async def check_a_ledger_on_a_full_disk_is_told_and_the_chat_stays(
    installation: Installation,
) -> None:
    ledger = psutil.Process(installation.role("ledger").pid)
    ledger.rlimit(psutil.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))

    installation.phone.person_writes("/pause")
    told = await installation.until_told("ledger has ended for good")
    assert "disk" in told or "space" in told
    await installation.say("/status", "Latency")
    assert "KILLED" in await installation.say("/kill enough", "KILLED")

    assert await installation.stop() == exit_codes.FATAL
    printed = installation.data_dir.with_name("var.log").read_text()
    assert f"exit code {exit_codes.FATAL}: " in printed
    assert "Traceback" not in printed


async def test_a_phone_watches_steers_kills_and_stays_when_the_ledger_ends(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with TelegramEmulator().serve() as phone:
        async with running_installation(data_dir, phone, is_first_start=True) as installation:
            await check_a_phone_watches_steers_and_kills(installation)
        async with running_installation(data_dir, phone) as installation:
            await check_the_kill_held_over_the_restart_and_is_cleared_on_the_host(installation)
            await check_a_ledger_on_a_full_disk_is_told_and_the_chat_stays(installation)
