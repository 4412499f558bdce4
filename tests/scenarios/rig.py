"""A whole installation as real processes, driven from an emulated phone."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from engine.bus.reports import StatusReport, TradesReport
from engine.domain.engines import MAIN
from engine.domain.errors import TransientError
from engine.facade.engine import Facade
from engine.requests.money import GetTrades
from engine.requests.overview import GetStatus
from engine.wiring.front_end import open_facade
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.storage.model import put_empty_ledger
from tests.telegram.emulator import OPERATOR_ID, TelegramEmulator

ROOT = Path(__file__).resolve().parents[2]
TOLD_TRADE = re.compile(r"Paper trade .*?planned [^(]*\((\S+)\)", re.DOTALL)
REFUSALS = ("Not done", "No answer", "not yet stored")
CALM = 1
"""The speed of the market in a test that waits for none of its opportunities."""

ROLES = ("sandbox", "ledger", "engine", "bot")


class Installation:
    """A running `python -m engine run`, its phone, and a facade of the test's own."""

    def __init__(
        self,
        data_dir: Path,
        phone: TelegramEmulator,
        facade: Facade,
        process: asyncio.subprocess.Process,
    ) -> None:
        self.data_dir = data_dir
        self.phone = phone
        self.facade = facade
        self.process = process

    async def until_live(self) -> StatusReport:
        """Wait until some book is live."""
        return await self.until_status(
            lambda status: any(v.books_live for v in status.venues if not v.is_chain)
        )

    async def until_status(self, is_met: Callable[[StatusReport], bool]) -> StatusReport:
        """Wait until the engine reports something."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    status = await self.facade.ask(GetStatus())
                except TransientError:
                    status = None
                if isinstance(status, StatusReport) and is_met(status):
                    return status
                await asyncio.sleep(0.05)

    async def say(self, text: str, answer: str) -> str:
        """Write as the operator and wait for a message of the bot that contains `answer`."""
        seen = len(self.phone.transcript())
        self.phone.person_writes(text)
        return await self.until_told(answer, after=seen)

    async def say_until(self, text: str, answer: str) -> None:
        """Write again whenever the bot refuses because a role is away, as a person would."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                seen = len(self.phone.transcript())
                self.phone.person_writes(text)
                if answer in await self._answer_or_refusal(answer, after=seen):
                    return

    async def _answer_or_refusal(self, answer: str, *, after: int) -> str:
        while True:
            for line in self.phone.transcript()[after:]:
                if any(part in line for part in (answer, *REFUSALS)):
                    return line
            await asyncio.sleep(0.05)

    async def until_told(self, answer: str, *, after: int = 0) -> str:
        """Wait for a message of the bot."""
        found: list[str] = []

        def is_told() -> bool:
            found[:] = [line for line in self.phone.transcript()[after:] if answer in line]
            return bool(found)

        await self.phone.wait_until(is_told)
        return found[0]

    async def until_trade_told(self) -> str:
        """Wait until a trade is told in a message of its own; returns its opportunity's id."""
        await self.phone.wait_until(lambda: bool(self.trades_told()))
        return self.trades_told()[0]

    def trades_told(self) -> list[str]:
        """Return the opportunities of the trades that were told one by one."""
        lines = self.phone.transcript()
        return [match.group(1) for line in lines if (match := TOLD_TRADE.search(line))]

    async def go_to_paper(self) -> None:
        """Go up to mode paper; see `go_up_to`."""
        await self.go_up_to("paper")

    async def go_up_to(self, mode: str) -> None:
        """Change the mode from the phone, with its second step; again if it could not be stored."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self._goes_up_to(mode):
                pass

    async def _goes_up_to(self, mode: str) -> bool:
        await self.say_until(f"/mode {mode}", f"Go up to mode {mode}?")
        seen = len(self.phone.transcript())
        self.phone.person_taps(f"Go to {mode}")
        while (await self.until_status(lambda _status: True)).mode != mode:
            if any(part in line for line in self.phone.transcript()[seen:] for part in REFUSALS):
                return False
            await asyncio.sleep(0.05)
        return True

    async def trades(self) -> TradesReport:
        """Return all stored trades."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    report = await self.facade.ask(GetTrades(limit=1_000))
                except TransientError:
                    await asyncio.sleep(0.05)
                    continue
                assert isinstance(report, TradesReport)
                return report

    def role(self, name: str) -> psutil.Process:
        """Find a role's process."""
        wanted = ["-m", "bot"] if name == "bot" else ["role", name]
        for child in psutil.Process(self.process.pid).children():
            if child.cmdline()[-2:] == wanted:
                return child
        raise AssertionError(f"{name} does not run")

    async def kill_role(self, name: str) -> None:
        """End a role with SIGKILL and wait until another one runs in its place."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    old = self.role(name)
                    break
                except (AssertionError, psutil.NoSuchProcess):
                    await asyncio.sleep(0.05)
            old.send_signal(signal.SIGKILL)
            while True:
                try:
                    if self.role(name).pid != old.pid:
                        return
                except (AssertionError, psutil.NoSuchProcess):
                    pass
                await asyncio.sleep(0.05)

    async def end_at_once(self) -> None:
        """End the supervisor and every role with SIGKILL, as a power cut would."""
        supervisor = psutil.Process(self.process.pid)
        for process in [supervisor, *supervisor.children(recursive=True)]:
            process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """End in order and return the exit code."""
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


def command(*arguments: str) -> list[str]:
    """Return Python with arguments, with no more rights over files than any user has."""
    as_user = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner")
    return [*(as_user if os.geteuid() == 0 else ()), sys.executable, *arguments]


def environment(data_dir: Path, **extra: str) -> dict[str, str]:
    """Return an environment for roles that sees no settings of the person who runs the tests."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SYNDICATE_", "TELEGRAM_")) and key != "MARKETS"
    }
    own = {
        "SYNDICATE_DATA_DIR": str(data_dir),
        "SYNDICATE_WORKERS_IS_ON": "false",  # it takes a second of each scenario
        "PYTHONPATH": str(ROOT),
        "SYNDICATE_MARKETS_SANDBOX_CHAINS": "none",  # a node each would take all of a small machine
    }
    return kept | own | extra


@asynccontextmanager
async def running_installation(
    data_dir: Path,
    phone: TelegramEmulator,
    *,
    speed: int = 5,
    engine_id: str = MAIN,
    is_first_start: bool = False,
    **extra: str,
) -> AsyncIterator[Installation]:
    """Run an installation on the sandbox with an emulated phone; it is stopped at the end.

    But at a first start it finds an empty ledger, to make which takes a while.
    """
    if not is_first_start:
        await asyncio.to_thread(put_empty_ledger, data_dir)
    own = environment(
        data_dir,
        **{
            "TELEGRAM_BOT_TOKEN": phone.token,
            "TELEGRAM_OPERATOR_ID": str(OPERATOR_ID),
            "SYNDICATE_TELEGRAM_BASE_URL": phone.base_url,
            "SYNDICATE_MARKETS_SANDBOX_SPEED": str(speed),
            "SYNDICATE_ENGINE_ID": engine_id,
            "SYNDICATE_TELEGRAM_HAS_CARD": "false",  # it would stand among the answers
            **extra,
        },
    )
    log = (data_dir.parent / f"{data_dir.name}.log").open("ab")
    with log:
        process = await asyncio.create_subprocess_exec(
            *command("-m", "engine", "run"),
            cwd=data_dir.parent,
            env=own,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    async with open_facade(Paths(data_dir, engine_id=engine_id)) as facade:
        installation = Installation(data_dir, phone, facade, process)
        try:
            yield installation
        finally:
            await installation.stop()


async def run_engine_command(
    data_dir: Path, *arguments: str, stdin: bytes = b"", **extra: str
) -> tuple[int, str]:
    """Run `python -m engine ...` to its end; returns the exit code and all its output."""
    process = await asyncio.create_subprocess_exec(
        *command("-m", "engine", *arguments),
        cwd=data_dir.parent,
        env=environment(data_dir, **extra),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(PATIENCE_S):
        output, _ = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, output.decode()
