"""Kill -9 of the chat while it is written to: `python -m tests.scenarios.chat_kills --kills 300`.

One installation; its chat alone is started again at once after each kill, which comes at a random
moment of its start, its reading and its answers. Now and then the ledger is killed with it. In the
end each command must have been carried out, and stand in the audit once, or have been refused
aloud: without a ledger nothing is changed, nor by what is a minute old when the chat is up at last.
Where the ledger dies while the engine carries one out, the person is told that nobody knows.
"""

import argparse
import asyncio
import contextlib
import csv
import io
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path

from engine.bus.reports import ExportReport, LimitsReport
from engine.domain.errors import TransientError
from engine.facade.engine import Facade
from engine.operate.supervisor import Supervisor
from engine.requests.money import GetExport
from engine.requests.overview import GetLimits, GetStatus
from engine.settings.load import load_settings
from engine.wiring.front_end import open_facade
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import ROOT
from tests.telegram.emulator import OPERATOR_ID, TelegramEmulator

FIRST_USD = Decimal("999.99")
STEP_USD = Decimal("0.01")
ALIVE_S_MAX = 2.5
"""A chat is killed within so many seconds of its start; it is up after one of them, about."""

IN_A_ROUND = 3
LEDGER_PART = 0.1
"""Of the kills, how many end the ledger too, unless another part is asked for."""


@dataclass(slots=True)
class Result:
    """What was tried and what came of it."""

    kills: int = 0
    ledger_kills: int = 0
    commands: int = 0
    refused_aloud: int = 0
    unknown_aloud: int = 0
    restarts: int = 0
    told_of_lost: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)


class Chat:
    """The chat's process."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it; nothing runs in its place any more."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bot"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself: it has to be started again, as a supervisor would."""
        return self._process is not None and self._process.returncode is not None

    def state(self) -> str:
        """Say how it is, and what it said last."""
        code = None if self._process is None else self._process.returncode
        how = "runs" if code is None else f"ended with {code}"
        return f"the chat {how}: {self._log.read_text(errors='replace')[-2_000:]}"

    async def kill(self) -> None:
        """End it with SIGKILL."""
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@contextlib.asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[tuple[Facade, Supervisor]]:
    """Run all roles but the chat."""
    paths = prepare(str(data_dir))
    settings = load_settings(os.environ, directory=data_dir.parent)
    supervisor = Supervisor(
        role_specs(settings, paths, has_bot=False), on_restart=lambda *_said: None
    )
    stop = asyncio.Event()
    work = asyncio.create_task(supervisor.run(stop, on_ready=lambda: None))
    async with open_facade(paths) as facade:
        try:
            yield facade, supervisor
        finally:
            stop.set()
            await work


async def in_force(facade: Facade) -> str:
    """Return the position limit that is in force, nothing while the engine is away."""
    try:
        report = await facade.ask(GetLimits())
    except TransientError:
        return ""
    assert isinstance(report, LimitsReport)
    return next(line.limit for line in report.limits if line.term == "position_usd")


async def kill_and_check(
    data_dir: Path,
    phone: TelegramEmulator,
    *,
    kills: int,
    seconds: float,
    source: random.Random,
    ledger_part: float = LEDGER_PART,
) -> Result:
    """Kill the chat so many times while it is written to; compare with what the engine did."""
    result = Result()
    written: list[str] = []
    ends_at_s = time.monotonic() + seconds
    async with running(data_dir) as (facade, supervisor):
        await insist(facade, GetStatus())
        chat = Chat(data_dir.parent / "chat.log")
        value = FIRST_USD
        await chat.start()
        while result.kills < kills and time.monotonic() < ends_at_s:
            kill_at = source.randrange(IN_A_ROUND + 1)
            for place in range(IN_A_ROUND + 1):
                if place == kill_at:
                    await asyncio.sleep(source.uniform(0, ALIVE_S_MAX))
                    if source.random() < ledger_part and "ledger" in supervisor.pids():
                        os.kill(supervisor.pids()["ledger"], signal.SIGKILL)
                        result.ledger_kills += 1
                    await chat.kill()
                    await chat.start()
                    result.kills += 1
                if place < IN_A_ROUND:
                    written.append(f"{value:f}")
                    phone.person_writes(f"/limit position_usd {value:f}")
                    value -= STEP_USD
                    await asyncio.sleep(source.uniform(0, 0.1))
            sys.stderr.write(f"\r{result.kills} of {kills} kills")
            if result.kills % 5 == 0:
                await until_in_force(facade, written[-1], phone, result, chat)
        await until_in_force(facade, written[-1], phone, result, chat)
        # What tightens holds at once, and is in the ledger a moment later.
        async with asyncio.timeout(PATIENCE_S):
            while (await insist(facade, GetStatus())).records_waiting:
                await asyncio.sleep(0.05)
        audit = await insist(facade, GetExport(table="audit"))
        assert isinstance(audit, ExportReport)
        await chat.kill()
    result.commands = len(written)
    _compare(written, audit.content.decode(), phone.transcript(), result)
    return result


async def until_in_force(
    facade: Facade, value: str, phone: TelegramEmulator, result: Result, chat: Chat
) -> None:
    """Wait until the newest command holds, or was refused."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await in_force(facade) != value:
                if _is_told(value, phone.transcript(), "Not done", "No answer", "not stored"):
                    return
                if chat.has_ended:
                    await chat.start()
                    result.restarts += 1
                await asyncio.sleep(0.1)
    except TimeoutError:
        result.lost.append(value)
        result.told_of_lost.append(chat.state())


def _is_told(value: str, said: list[str], *beginnings: str) -> bool:
    """Say whether the person was told of a command in such a message: too old, without a ledger."""
    line = f"/limit position_usd {value}"
    return any(line in text and any(one in text for one in beginnings) for text in said)


def _compare(written: list[str], audit: str, said: list[str], result: Result) -> None:
    done = Counter(row["action"] for row in csv.DictReader(io.StringIO(audit)))
    for one in written:
        times = done[f"limit position_usd {one} USD"]
        if times == 0 and _is_told(one, said, "Not done"):
            result.refused_aloud += 1
        elif times == 0 and _is_told(one, said, "No answer", "not stored"):
            result.unknown_aloud += 1
        elif times == 0:
            result.lost.append(one)
            result.told_of_lost += [text for text in said if one in text]
        elif times > 1:
            result.doubled.append(one)


async def _main(kills: int, seconds: float, seed: int, ledger_part: float) -> Result:
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        async with TelegramEmulator().serve() as phone:
            data_dir = Path(directory) / "var"
            for name in [one for one in os.environ if one.startswith(("SYNDICATE_", "TELEGRAM_"))]:
                del os.environ[name]
            os.environ |= {
                "PYTHONPATH": str(ROOT),
                "SYNDICATE_DATA_DIR": str(data_dir),
                "SYNDICATE_WORKERS_IS_ON": "false",
                "SYNDICATE_MARKETS_VENUES": "coinbase,binance",
                "SYNDICATE_TELEGRAM_BASE_URL": phone.base_url,
                "SYNDICATE_TELEGRAM_HAS_CARD": "false",
                "TELEGRAM_BOT_TOKEN": phone.token,
                "TELEGRAM_OPERATOR_ID": str(OPERATOR_ID),
            }
            os.chdir(directory)
            return await kill_and_check(
                data_dir,
                phone,
                kills=kills,
                seconds=seconds,
                source=random.Random(seed),
                ledger_part=ledger_part,
            )


def main() -> int:
    """Run the campaign and print its result as JSON; exit code 1 if anything was lost or twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=3_600, help="ends after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ledger", type=float, default=LEDGER_PART, help="part that ends it too")
    asked = parser.parse_args()
    result = asyncio.run(_main(asked.kills, asked.seconds, asked.seed, asked.ledger))
    print(json.dumps({"seed": asked.seed, **asdict(result)}))
    return 1 if result.lost or result.doubled else 0


if __name__ == "__main__":
    sys.exit(main())
