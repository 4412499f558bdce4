"""Kill -9 of any role at random moments: `python -m tests.scenarios.campaign --kills 100 --seed 1`.

While a paper session runs on the sandbox, roles are killed at random moments. Everything that the
phone was told as done must be there afterwards: trades (with their profit), mode, pause, kill.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from engine.bus.health_reports import IncidentsReport
from engine.domain.errors import TransientError
from engine.health.keeping import Kept
from engine.requests.health import GetIncidents
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.scenarios.rig import ROLES, Installation, running_installation
from tests.telegram.emulator import TelegramEmulator

ROUND_S = (0.3, 4.0)
ANSWER_S = 5.0


@dataclass(slots=True)
class CampaignResult:
    """What a campaign came to; `lost` names what was acknowledged and is gone."""

    kills: int = 0
    by_role: dict[str, int] = field(default_factory=dict)
    acknowledged_trades: int = 0
    acknowledged_changes: int = 0
    repeated_notices: int = 0
    lost: list[str] = field(default_factory=list)
    seconds: float = 0.0
    recovery_s_max: float = 0.0


async def kill_and_check(
    data_dir: Path,
    phone: TelegramEmulator,
    *,
    kills: int,
    source: random.Random,
    starts_again: bool = True,
) -> CampaignResult:
    """Run one installation, kill its roles, and compare what was told with what is stored.

    Once more after a restart of all, or else by what is on the disk after the end.
    """
    result = CampaignResult()
    started_s = time.monotonic()
    async with running_installation(data_dir, phone) as installation:
        await installation.until_live()
        await installation.go_to_paper()
        await installation.until_trade_told()
        for number in range(kills):
            await asyncio.sleep(source.uniform(*ROUND_S))
            role = source.choice(ROLES)
            before_s = time.monotonic()
            await installation.kill_role(role)
            result.kills += 1
            result.by_role[role] = result.by_role.get(role, 0) + 1
            await installation.until_live()
            result.recovery_s_max = max(result.recovery_s_max, time.monotonic() - before_s)
            if number % 3 == 2:
                await _change_and_check(installation, result, is_pause=number % 2 == 0)
        await _check_trades(installation, result)
        await _until_in_incidents(installation, result)
        assert await installation.stop() == 0
    if not starts_again:
        _check_the_disk(data_dir, installation, result)
        return result
    async with running_installation(data_dir, phone) as installation:
        await installation.until_live()
        await _check_trades(installation, result)
        await _until_in_incidents(installation, result)
    result.seconds = round(time.monotonic() - started_s, 1)
    return result


async def _change_and_check(
    installation: Installation, result: CampaignResult, *, is_pause: bool
) -> None:
    """Change something from the phone; once it is acknowledged, kill the engine at once."""
    if is_pause:
        await installation.say_until("/pause", "paused, no plans")
    else:
        while (await installation.until_live()).is_paused:
            await installation.say_until("/resume", "Resume?")
            installation.phone.person_taps("Resume")
            with contextlib.suppress(TimeoutError):  # refused while a role is away: ask again
                async with asyncio.timeout(ANSWER_S):
                    await installation.until_status(lambda status: not status.is_paused)
    result.acknowledged_changes += 1
    await installation.kill_role("engine")
    status = await installation.until_live()
    if status.is_paused != is_pause:
        result.lost.append(f"pause {is_pause} was acknowledged, but is {status.is_paused}")
    if status.mode != "paper":
        result.lost.append("mode paper was acknowledged")


async def _check_trades(installation: Installation, result: CampaignResult) -> None:
    told = installation.trades_told()
    stored = {trade.opportunity_id for trade in (await installation.trades()).trades}
    result.acknowledged_trades = len(set(told))
    result.repeated_notices = len(told) - len(set(told))
    result.lost += [f"trade {ref}" for ref in sorted(set(told) - stored)]


def _check_the_disk(data_dir: Path, installation: Installation, result: CampaignResult) -> None:
    """Look for what was told, and for each role that was killed, in the files."""
    path = f"file:{data_dir}/ledger.sqlite3?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as database:
        stored = {ref for (ref,) in database.execute("SELECT opportunity_id FROM executions")}
    told = set(installation.trades_told())
    result.lost += [f"trade {ref}, on disk" for ref in sorted(told - stored)]
    kept = Kept(Paths(data_dir).health)
    components = {name for one in kept.incidents(most=100) for name in one.members}
    kept.close()
    killed = {f"role/{role}" for role in result.by_role}
    result.lost += [f"incident of {name}, on disk" for name in sorted(killed - components)]


async def _until_in_incidents(installation: Installation, result: CampaignResult) -> None:
    """Wait until each role that was killed is in an incident, as it is told or was kept."""
    wanted = {f"role/{role}" for role in result.by_role}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(TransientError):
                report = await installation.facade.ask(GetIncidents(most=100))
                assert isinstance(report, IncidentsReport)
                if wanted <= {name for one in report.incidents for name in one.components}:
                    return
            await asyncio.sleep(0.1)


async def _main(kills: int, seed: int) -> CampaignResult:
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        async with TelegramEmulator().serve() as phone:
            return await kill_and_check(
                Path(directory) / "var", phone, kills=kills, source=random.Random(seed)
            )


def main() -> int:
    """Run the campaign and print its result as JSON; exit code 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    result = asyncio.run(_main(asked.kills, asked.seed))
    print(json.dumps({"seed": asked.seed, **asdict(result)}))
    return 1 if result.lost else 0


if __name__ == "__main__":
    sys.exit(main())
