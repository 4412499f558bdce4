"""The commands of `python -m engine`.

Every process runs one command, and the memory of all of them counts: each command imports what it
runs when it runs, so that only the engine loads numba and only the ledger loads the database.
"""

import argparse
import asyncio
import getpass
import os
import sys
import time
from pathlib import Path

from engine.bus.command import seal
from engine.bus.reports import Declined, KillReport
from engine.domain.errors import BadValueError, FatalError, SettingsError, TransientError
from engine.domain.redaction import redact
from engine.operate import exit_codes
from engine.operate.clock import make_clock
from engine.operate.kill_latch import KillLatch
from engine.operate.loaded import collect_no_garbage
from engine.operate.streams import say as _say
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill
from engine.settings.load import load_with_origins
from engine.settings.schema import Settings, environment_name
from engine.wiring.paths import Paths


async def run(settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Start all roles and the chat."""
    from engine.wiring.run import run_installation

    origins = load_with_origins(os.environ, directory=Path.cwd()).origins
    return await run_installation(settings, paths, origins)


async def demo(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Run the sandbox without a person; the last line printed is one JSON object."""
    from engine.tools.demo import run_demo

    return await run_demo(settings, paths, seconds=asked.seconds, has_gateway=asked.gateway)


async def role(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Run one role."""
    collect_no_garbage()
    if asked.name == "engine":
        from engine.wiring.engine_role import run_engine

        await run_engine(settings, paths)
    elif asked.name == "ledger":
        from engine.wiring.ledger_role import run_ledger

        await run_ledger(settings, paths)
    elif asked.name.startswith("chains"):
        from engine.wiring.chains_role import run_chains

        await run_chains(settings, paths, role=asked.name)
    elif asked.name == "workers":
        from engine.wiring.workers_role import run_workers

        await run_workers(settings, paths)
    elif asked.name == "sender":
        from engine.wiring.sender_role import run_sender

        await run_sender(settings, paths)
    elif asked.name == "trader":
        from engine.wiring.trader_role import run_trader

        await run_trader(settings, paths)
    elif asked.name == "ccxt":
        from engine.wiring.ccxt_role import run_ccxt

        await run_ccxt(settings, paths)
    elif asked.name == "signer":
        from engine.wiring.signer_role import run_signer

        await run_signer(settings, paths)
    else:
        from engine.wiring.sandbox_role import run_sandbox

        await run_sandbox(settings, paths)
    return exit_codes.OK


async def keys(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Make, import or unlock the wallet's key."""
    from engine.tools.keys import run_keys

    try:
        await run_keys(settings, paths, asked)
    except BadValueError as error:  # the signer refuses the password
        raise SettingsError(str(error)) from error
    return exit_codes.OK


async def replay(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Feed a recording through the same code and compare the decisions."""
    if asked.file is None:
        from engine.tools.choices import recordings_to_replay

        _say(recordings_to_replay(paths))
        return exit_codes.OK
    from engine.tools.replaying import replay_run

    return await asyncio.to_thread(replay_run, asked.file, log_to=asked.log, first=asked.first)


async def effect(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Play recorded hours with and without what was advised; store and print what it changed."""
    from engine.tools.effect import run_effect
    from engine.wiring.front_end import check_runs, open_facade

    async with open_facade(paths) as facade:
        try:
            await check_runs(paths)
            keeper = facade
        except TransientError:
            keeper = None  # it is printed all the same
        return await run_effect(
            paths, keeper, hours=asked.hours, path=asked.file, seq=asked.discovery
        )


async def trace(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Show the frames that caused an opportunity or trade."""
    from engine.wiring.front_end import check_runs, open_facade

    await check_runs(paths)
    async with open_facade(paths) as facade:
        if asked.id is None:
            from engine.tools.choices import decisions_to_trace

            _say(await decisions_to_trace(facade))
            return exit_codes.OK
        from engine.tools.replaying import trace_decision

        return await trace_decision(facade, paths, asked.id)


async def kill(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Kill by every path, and say what is true of each."""
    from engine.wiring.front_end import open_facade

    by = f"shell of {getpass.getuser()}"
    command = seal(Kill(why=redact(asked.why), engine=asked.engine), by=by, at_ns=make_clock()())
    async with open_facade(paths) as facade:
        report = await facade.ask(command)
    if isinstance(report, Declined):
        _say(f"NOT KILLED: {report.why}; make kill without a name kills all engines")
        return exit_codes.BROKEN_SETTINGS
    assert isinstance(report, KillReport)
    _say(f"latch file {_latch_of(paths, asked.engine).path}: {report.latch_file.text}")
    _say(f"engine: {report.engine.text}")
    _say(f"ledger: {report.ledger.text}")
    if report.latch_file.is_done:
        _say("killed: no plan is made until the latch is cleared")
    elif report.engine.is_done:
        _say("killed, but the latch file is not set: mend the disk, then run make kill again")
    else:
        _say("KILL FAILED: end the processes of the program, with SIGKILL if need be")
    return exit_codes.OK if report.latch_file.is_done or report.engine.is_done else 1


def _latch_of(paths: Paths, engine: str) -> KillLatch:
    return paths.of(engine).latches().own if engine else paths.latches().of_all


async def unkill(_settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Clear a latch after a person confirmed it."""
    from engine.tools.unkilling import unkill_from_host
    from engine.wiring.front_end import open_facade

    if asked.engine:
        known = paths.engine_ids()
        if asked.engine not in known:
            _say(f"no engine is named {asked.engine!r}; known: {', '.join(known)}")
            return exit_codes.BROKEN_SETTINGS
        paths = paths.of(asked.engine)
    latch = _latch_of(paths, asked.engine)
    async with open_facade(paths) as facade:
        try:
            status = await facade.ask(GetStatus())
        except TransientError:
            status = None
        is_other_set = (
            paths.latches().own.is_killed()
            if not asked.engine
            else (paths.latches().of_all.is_killed())
        )
        held = status is not None and status.is_killed and not is_other_set
        if not latch.is_killed() and not held:
            _say("the latch is clear already")
            return exit_codes.OK
        why = latch.why() if latch.is_killed() else "the engine holds, the latch file says clear"
        _say(f"killed: {why}")
        if not asked.yes:
            answer = await asyncio.to_thread(input, "Type the word clear to allow plans again: ")
            if answer.strip() != "clear":
                _say("nothing changed")
                return 1
        is_done, said = await unkill_from_host(
            facade,
            latch,
            by=f"shell of {getpass.getuser()}",
            has_engine=status is not None,
            engine_id=paths.engine_id,
            of=asked.engine,
        )
    _say(said)
    return exit_codes.OK if is_done else 1


async def enroll(settings: Settings, _paths: Paths, asked: argparse.Namespace) -> int:
    """Set up the authenticator that clears the latch from the phone."""
    from engine.tools.enroll import enroll as enroll_person

    name = environment_name("operator", "totp_secret")
    if name in os.environ:
        raise FatalError(f"{name} is set in the environment, which wins over .env: unset it first")
    if settings.operator.totp_secret is not None and not asked.again:
        _say("an authenticator is set up already; make enroll AGAIN=1 replaces it")
        return exit_codes.OK
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise FatalError("make enroll shows a secret and asks for a code: run it in a terminal")
    is_done = await asyncio.to_thread(
        enroll_person, Path.cwd() / ".env", show=_say, ask=input, clock=make_clock()
    )
    return exit_codes.OK if is_done else 1


async def pair(settings: Settings, _paths: Paths, asked: argparse.Namespace) -> int:
    """Let whoever writes the code on this screen to the bot in: as its owner, or with a rank."""
    from engine.tools.pairing import pair as pair_person

    name = environment_name("telegram", "operator_id" if asked.rank is None else "people")
    if name in os.environ:
        raise FatalError(f"{name} is set in the environment, which wins over .env: unset it first")
    if not sys.stdout.isatty():
        raise FatalError("make pair shows a code that nobody else may see: run it in a terminal")
    is_done = await pair_person(
        settings, Path.cwd() / ".env", show=_say, wall_s=time.time, rank=asked.rank
    )
    return exit_codes.OK if is_done else 1


async def health(_settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Ask the engine for its status; well means that it answers and some book is live."""
    from engine.wiring.front_end import check_runs, open_facade

    await check_runs(paths)
    async with open_facade(paths) as facade:
        status = await facade.ask(GetStatus())
    live = sum(line.books_live for line in status.venues if not line.is_chain)
    _say(f"{live} live books, mode {status.mode}, {'killed' if status.is_killed else 'not killed'}")
    return exit_codes.OK if live else 1


async def prices(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Print what the running engine shares with other processes."""
    from engine.tools.prices import View, show_prices

    view = View(
        is_watching=asked.watch,
        is_json=asked.json,
        has_metrics=asked.metrics,
        age_ms_max=settings.markets.age_ms_max,
    )
    return await show_prices(paths, view)


async def migrate(settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Bring the database to this version's schema."""
    from engine.storage import migrate as storage_migrate
    from engine.wiring.ledger_role import ledger_settings

    revision = await storage_migrate.migrate("up", settings=ledger_settings(settings, paths))
    _say(f"the database has this version's schema ({revision})")
    return exit_codes.OK


async def restore(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Put a backup in the place of the database."""
    from engine.storage import restore as storage_restore
    from engine.storage.ledger_settings import DATABASE_NAME

    if settings.data.database_url:
        raise FatalError("PostgreSQL is restored with its own tools (pg_restore)")
    if asked.file is None:
        from engine.tools.choices import backups_to_restore

        _say(backups_to_restore(paths))
        return exit_codes.OK
    aside = await asyncio.to_thread(
        storage_restore.restore,
        backup=asked.file,
        database=paths.data_dir / DATABASE_NAME,
        data_dir=paths.data_dir,
        now_ns=make_clock()(),
    )
    _say(f"restored from {asked.file}; the replaced database is in {aside}")
    return exit_codes.OK


async def bookmark(settings: Settings, paths: Paths, _asked: argparse.Namespace) -> int:
    """Print where the bookmark that kills once leads; after its use there is another."""
    from engine.facade.kill_door import Bookmarks

    secret = settings.door.kill_secret
    if secret is None:
        raise FatalError(f"{environment_name('door', 'kill_secret')} is not set: nothing listens")
    _say(f"https://YOUR.HOST{Bookmarks(secret, paths.data_dir).path}")
    return exit_codes.OK


async def audit(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Say whether the chain of all acts is whole, or the first thing that is wrong."""
    from engine.tools.auditing import check_audit, told

    report = await check_audit(settings, paths, looked_for=asked.head)
    for line in told(report):
        _say(line)
    return 1 if report.broken else exit_codes.OK


async def verify_pools(_settings: Settings, _paths: Paths, asked: argparse.Namespace) -> int:
    """Compare pools and quotes with a node's own answers; 1 if one differs."""
    from engine.sandbox.world.packages import NoWorldError
    from engine.tools.verify_local import verify_worlds

    try:
        is_good = await verify_worlds(asked.chain, count=asked.count, seed=asked.seed, say=_say)
    except NoWorldError as error:
        raise FatalError(str(error)) from error
    return exit_codes.OK if is_good else 1


async def warm_up(_settings: Settings, _paths: Paths, _asked: argparse.Namespace) -> int:
    """Compile every kernel into the cache; says how far it is while it takes its time."""
    from engine.tools.warming import warm_up_aloud

    _say(f"{warm_up_aloud(_say)} kernels ready")
    return exit_codes.OK
