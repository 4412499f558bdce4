"""Command line of the engine: `python -m engine COMMAND`; the make targets call it."""

import argparse
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import uvloop

from engine.domain.chains import NETWORKS
from engine.domain.people import Rank
from engine.operate.endings import exit_code_after
from engine.operate.logs import set_up_logs
from engine.settings.load import load_settings
from engine.settings.schema import Settings
from engine.tools import commands, wallet_commands
from engine.wiring.paths import Paths, prepare

_HOURS_MAX = 10_000
_KEY_ACTS = ("make", "import", "address", "unlock", "venue", "rotate", "withdraw")

Run = Callable[[Settings, Paths, argparse.Namespace], Coroutine[Any, Any, int]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors are one sentence on stderr."""

    def work() -> int:
        asked = _parser().parse_args(arguments)
        is_pairing = asked.run is commands.pair
        settings = load_settings(os.environ, directory=Path.cwd(), is_pairing=is_pairing)
        set_up_logs(level=settings.log.level, form=settings.log.form)
        # A kill asks nothing of the disk: it may be the disk that is broken.
        is_kill = asked.run is commands.kill
        where, url, engine_id = settings.data.dir, settings.bus.url, settings.engine.id
        paths = (
            Paths(Path(where).resolve(), url, engine_id)
            if is_kill
            else prepare(where, bus_url=url, engine_id=engine_id)
        )
        run: Run = asked.run
        return uvloop.run(run(settings, paths, asked))

    return exit_code_after(work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engine", description="Syndicate: arbitrage engine of one operator."
    )
    commands_of = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        command = commands_of.add_parser(name, help=text, description=text)
        command.set_defaults(run=run)
        return command

    add("run", commands.run, "start all roles and the chat")
    _add_demo(
        add("demo", commands.demo, "run the sandbox without a person and print figures as JSON")
    )
    replay = add("replay", commands.replay, "feed a recording through the same code")
    replay.add_argument(
        "file", type=Path, nargs="?", help="a run's folder, or a segment file; none lists the runs"
    )
    replay.add_argument(
        "--from", type=int, default=0, dest="first", help="number of the segment to begin at"
    )
    replay.add_argument("--log", type=Path, help="write the replay's decision log to this file")
    effect = add("effect", commands.effect, "play recorded hours with and without what was advised")
    effect.add_argument("file", type=Path, nargs="?", help="a run's folder (default: the newest)")
    effect.add_argument("--hours", type=_span, default=1.0, help="of its end (default 1)")
    effect.add_argument(
        "--discovery", type=_positive, default=0, help="this one alone, by its number"
    )
    trace = add("trace", commands.trace, "show the frames that caused an opportunity or trade")
    trace.add_argument(
        "id", nargs="?", help="as /opportunities or /trades shows it; none lists them"
    )
    role = add("role", commands.role, "run one role (the supervisor does this)")
    each = tuple(f"chains-{chain}" for chain in NETWORKS)
    role.add_argument(
        "name",
        choices=(
            *("engine", "ledger", "workers", "sandbox", "ccxt", "signer", "sender", "trader"),
            "chains",
            *each,
        ),
    )
    _add_key_arguments(add("keys", commands.keys, "make, import or unlock the key of the wallet"))
    _add_deployment(
        add(
            "deploy", wallet_commands.deploy, "deploy our contract, after a dry run and a question"
        ),
        add("self-test", wallet_commands.self_test, "try all that going live needs"),
        add("exchange-test", wallet_commands.exchange_test, "try all that an exchange needs"),
    )
    kill = add("kill", commands.kill, "set the kill latch")
    kill.add_argument("--why", default="set from the command line")
    kill.add_argument("--engine", default="", metavar="ID", help="only this one, not all engines")
    unkill = add("unkill", commands.unkill, "clear the kill latch, after a confirmation")
    unkill.add_argument("--yes", action="store_true", help="do not ask")
    unkill.add_argument("--engine", default="", metavar="ID", help="its own latch, not that of all")
    enroll = add("enroll", commands.enroll, "set up the authenticator that /unkill asks for")
    enroll.add_argument("--again", action="store_true", help="replace the one that is set up")
    pair = add("pair", commands.pair, "let the phone in that writes a code to the bot: the owner's")
    pair.add_argument(
        "--rank", type=Rank, choices=tuple(Rank), help="somebody else's, with this rank"
    )
    add("health", commands.health, "say whether the running engine is well")
    prices = add("prices", commands.prices, "print the running engine's prices from shared memory")
    prices.add_argument("--watch", action="store_true", help="go on until Ctrl-C, in place")
    prices.add_argument("--json", action="store_true", help="one JSON object, or one a refresh")
    prices.add_argument(
        "--metrics", action="store_true", help="add hits, misses, refreshes and access times"
    )
    add("migrate", commands.migrate, "bring the database to this version's schema")
    add("bookmark", commands.bookmark, "print the address that kills once, for a phone")
    audit = add("audit", commands.audit, "say whether the audit of all acts is whole")
    audit.add_argument("what", choices=("verify",))
    audit.add_argument("--head", default="", help="a hash that was noted once must be in it")
    restore = add("restore", commands.restore, "put a backup in the place of the database")
    restore.add_argument("file", type=Path, nargs="?", help="a backup; none lists them")
    verify = add(
        "verify-pools",
        commands.verify_pools,
        "compare local chains' pools with their nodes' answers",
    )
    verify.add_argument("--count", type=_positive, default=200, help="pools and quotes (200)")
    verify.add_argument("--chain", default="all", help="one of the six (default all)")
    verify.add_argument("--seed", type=int, default=1, help="which pools, swaps and sizes")
    add("warm-up", commands.warm_up, "compile all kernels into the cache")
    return parser


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--seconds", type=_positive, default=30, help="how long (default 30)")
    demo.add_argument(
        "--gateway", action="store_true", help="with the gateway: webhooks come in, metrics go out"
    )


def _add_key_arguments(keys: argparse.ArgumentParser) -> None:
    keys.add_argument("what", choices=_KEY_ACTS)
    keys.add_argument(
        "venue", nargs="?", help="whose key it is, after the word venue, rotate or withdraw"
    )
    keys.add_argument("--to", type=Path, help="the keystore (default: as the settings say)")
    keys.add_argument(
        "--from",
        type=Path,
        dest="source",
        metavar="FILE",
        help="keystore, or file with 64 hexadecimal digits, to import; else asked",
    )
    keys.add_argument("--password-file", type=Path, help="mode 600, its first line; else asked")
    keys.add_argument("--old-password-file", type=Path, help="the same, of what is imported")
    keys.add_argument(
        "--for",
        choices=("sandbox", "test", "live"),
        default="sandbox",
        dest="use",
        help="what the key may sign: transactions of the sandbox's chains alone, of test networks"
        " alone, or of main networks",
    )


def _add_deployment(
    deploy: argparse.ArgumentParser, test: argparse.ArgumentParser, trial: argparse.ArgumentParser
) -> None:
    trial.add_argument("--venue", required=True, help="where orders may be placed, as kraken")
    for one in (deploy, test):
        one.add_argument(
            "--chain", required=True, help="a local chain of the running sandbox, or a network"
        )
    deploy.add_argument("--upgradeable", action="store_true", help="behind a proxy")
    deploy.add_argument("--yes", action="store_true", help="do not ask")
    deploy.add_argument(
        "--owner-keystore", type=Path, help="of the contract's owner, on a test or main network"
    )
    deploy.add_argument("--owner-password-file", type=Path, help="its password, mode 600")
    deploy.add_argument(
        "--recovery", default="", metavar="0x", help="where gains go; else to the owner"
    )
    deploy.add_argument(
        "--wrapped",
        default="",
        metavar="0x",
        help="the network's wrapped coin, where none is known",
    )


def _span(text: str) -> float:
    hours = float(text)
    if not 0 < hours < _HOURS_MAX:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and below {_HOURS_MAX}")
    return hours


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
