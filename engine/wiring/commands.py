"""The commands of `python -m engine`."""

import argparse
import asyncio
import getpass
import sys

from engine.bus.commands import GetStatus, Kill
from engine.bus.reports import StatusReport
from engine.domain.errors import FatalError, TransientError
from engine.kernels.warm_up import warm_up_all
from engine.operate import exit_codes
from engine.operate.clock import make_clock
from engine.operate.kill_latch import KillLatch
from engine.settings.schema import Settings
from engine.storage import migrate as storage_migrate
from engine.storage import restore as storage_restore
from engine.storage.ledger_settings import DATABASE_NAME
from engine.wiring.demo import run_demo
from engine.wiring.engine_role import run_engine
from engine.wiring.front_end import open_facade
from engine.wiring.ledger_role import ledger_settings, run_ledger
from engine.wiring.paths import Paths
from engine.wiring.replaying import replay_run, trace_decision
from engine.wiring.run import run_installation
from engine.wiring.sandbox_role import run_sandbox


async def run(settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Start all roles and the chat."""
    return await run_installation(settings, paths)


async def demo(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Run the sandbox without a person; the last line printed is one JSON object."""
    return await run_demo(settings, paths, seconds=asked.seconds)


async def role(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Run one role."""
    runs = {"engine": run_engine, "ledger": run_ledger, "sandbox": run_sandbox}
    await runs[asked.name](settings, paths)
    return exit_codes.OK


async def replay(_settings: Settings, _paths: Paths, asked: argparse.Namespace) -> int:
    """Feed a recording through the same code and compare the decisions."""
    return await asyncio.to_thread(replay_run, asked.file, log_to=asked.log)


async def trace(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Show the frames that caused an opportunity or trade."""
    return await trace_decision(paths, asked.id)


async def kill(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Set the latch; then tell the engine, if it runs."""
    latch = KillLatch(paths.data_dir)
    by = f"shell of {getpass.getuser()}"
    latch.kill(by=by, why=asked.why)
    _say(f"killed: the latch {latch.path} is set; no plan is made until it is cleared")
    async with open_facade(paths) as facade:
        try:
            await facade.ask(Kill(by=by, why=asked.why))
        except TransientError:
            _say("the engine does not run; the latch holds for its next start")
    return exit_codes.OK


async def unkill(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Clear the latch after a person confirmed it."""
    latch = KillLatch(paths.data_dir)
    if not latch.is_killed():
        _say("the latch is clear already")
        return exit_codes.OK
    _say(f"killed: {latch.why()}")
    if not asked.yes:
        answer = await asyncio.to_thread(input, "Type the word clear to allow plans again: ")
        if answer.strip() != "clear":
            _say("nothing changed")
            return 1
    latch.clear()
    _say("the latch is clear; the engine makes plans again as its mode allows")
    return exit_codes.OK


async def health(_settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Ask the engine for its status; well means that it answers and some book is live."""
    async with open_facade(paths) as facade:
        try:
            status = await facade.ask(GetStatus())
        except TransientError as error:
            _say(str(error))
            return 1
    if not isinstance(status, StatusReport):
        _say(f"the engine answered {type(status).__name__}")
        return 1
    live = sum(line.books_live for line in status.venues)
    _say(f"{live} live books, mode {status.mode}, {'killed' if status.is_killed else 'not killed'}")
    return exit_codes.OK if live else 1


async def migrate(settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Bring the database to this version's schema."""
    revision = await storage_migrate.migrate("up", settings=ledger_settings(settings, paths))
    _say(f"the database has this version's schema ({revision})")
    return exit_codes.OK


async def restore(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Put a backup in the place of the database."""
    if settings.data.database_url:
        raise FatalError("PostgreSQL is restored with its own tools (pg_restore)")
    aside = await asyncio.to_thread(
        storage_restore.restore,
        backup=asked.file,
        database=paths.data_dir / DATABASE_NAME,
        data_dir=paths.data_dir,
        now_ns=make_clock()(),
    )
    _say(f"restored from {asked.file}; the replaced database is in {aside}")
    return exit_codes.OK


async def warm_up(_settings: Settings, _paths: Paths, _asked: argparse.Namespace) -> int:
    """Compile every kernel into the cache."""
    names = warm_up_all()
    _say(f"{len(names)} kernels ready")
    return exit_codes.OK


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
