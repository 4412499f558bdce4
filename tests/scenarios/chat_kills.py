"""Kill -9 of the chat while it is written to: `python -m tests.scenarios.chat_kills --kills 100`.

Each round writes commands that change something and ends the bot's process at a random moment about
then. Afterwards each must have been carried out, and stand in the audit once.
"""

import argparse
import asyncio
import csv
import io
import json
import random
import sys
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from engine.bus.reports import ExportReport, LimitsReport
from engine.domain.errors import TransientError
from engine.requests.money import GetExport
from engine.requests.overview import GetLimits
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import Installation, running_installation
from tests.telegram.emulator import TelegramEmulator

FIRST_USD = Decimal("999.99")
STEP_USD = Decimal("0.01")
ROUND_S = 0.6
IN_A_ROUND = 3


@dataclass(slots=True)
class Result:
    """What was tried and what came of it."""

    kills: int = 0
    commands: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


async def in_force(installation: Installation) -> str:
    """Return the position limit that is in force."""
    try:
        report = await installation.facade.ask(GetLimits())
    except TransientError:
        return ""
    assert isinstance(report, LimitsReport)
    return next(line.limit for line in report.limits if line.term == "position_usd")


async def kill_and_check(
    data_dir: Path, phone: TelegramEmulator, *, kills: int, source: random.Random
) -> Result:
    """Kill the bot so many times while it is written to; compare with what the engine did."""
    result = Result()
    written: list[str] = []
    async with running_installation(data_dir, phone) as installation:
        await installation.until_live()
        await installation.say("/start", "Syndicate")
        value = FIRST_USD
        for number in range(kills):
            kill_at = source.randrange(IN_A_ROUND + 1)
            for place in range(IN_A_ROUND + 1):
                if place == kill_at:
                    await asyncio.sleep(source.uniform(0, ROUND_S))
                    await installation.kill_role("bot")
                    result.kills += 1
                if place < IN_A_ROUND:
                    written.append(f"{value:f}")
                    phone.person_writes(f"/limit position_usd {value:f}")
                    value -= STEP_USD
                    await asyncio.sleep(source.uniform(0, ROUND_S / 4))
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while await in_force(installation) != written[-1]:
                        await asyncio.sleep(0.05)
            except TimeoutError:
                result.lost.append(written[-1])
            sys.stderr.write(f"\r{number + 1} of {kills} kills")
        # What tightens holds at once, and is in the ledger a moment later.
        await installation.until_status(lambda now: now.records_waiting == 0)
        audit = await insist(installation.facade, GetExport(table="audit"))
        assert isinstance(audit, ExportReport)
        await installation.stop()
    rows = csv.DictReader(io.StringIO(audit.content.decode()))
    done = Counter(row["action"] for row in rows)
    result.commands = len(written)
    for one in written:
        times = done[f"limit position_usd {one} USD"]
        if times == 0:
            result.lost.append(one)
        elif times > 1:
            result.doubled.append(one)
    return result


async def _main(kills: int, seed: int) -> Result:
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        async with TelegramEmulator().serve() as phone:
            return await kill_and_check(
                Path(directory) / "var", phone, kills=kills, source=random.Random(seed)
            )


def main() -> int:
    """Run the campaign and print its result as JSON; exit code 1 if anything was lost or twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    result = asyncio.run(_main(asked.kills, asked.seed))
    print(json.dumps({"seed": asked.seed, **asdict(result)}))
    return 1 if result.lost or result.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
