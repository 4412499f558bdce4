"""The role `gateway`, and its keys.

``python -m bot.web`` serves; ``python -m bot.web keys`` lists, adds, renews and removes keys.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from bot.render.words import use_zone
from bot.web.api_keys import ApiKeys
from bot.web.app import make_gateway, run_gateway
from bot.web.hooks import command as hooks_command
from bot.web.memory import give_back_what_is_large
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S
from engine.wiring.front_end import exit_code_after, gateway_directory, open_gateway


def main() -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bot.web", description=__doc__)
    verbs = parser.add_subparsers(dest="verb")
    keys = verbs.add_parser("keys", help="keys of programs and browsers")
    what = keys.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="list them: names and ranks, no secrets")
    add = what.add_parser("add", help="make one; it is shown once")
    add.add_argument("name", help="as the records show who acted: a-z, 0-9 and -")
    add.add_argument("--rank", type=Rank, choices=list(Rank), default=Rank.VIEWER)
    renew = what.add_parser(
        "renew", help="make a new one for a name; the old one opens an hour more"
    )
    renew.add_argument("name")
    remove = what.add_parser("remove", help="let one open nothing any more, at once")
    remove.add_argument("name")
    hooks_command.add_verb(verbs)
    asked = parser.parse_args()
    if asked.verb is None:
        uvloop.run(_serve())
        return 0
    if asked.verb == "hooks":
        directory = gateway_directory(os.environ, directory=Path.cwd())
        hooks_command.obey(asked, directory, _now_ns)
        return 0
    _obey_keys(asked, ApiKeys(gateway_directory(os.environ, directory=Path.cwd())))
    return 0


def _obey_keys(asked: argparse.Namespace, kept: ApiKeys) -> None:
    """List, add, renew or remove keys."""
    if asked.what in {"add", "renew"}:
        text = (
            kept.renew(asked.name, clock=_now_ns)
            if asked.what == "renew"
            else kept.add(asked.name, asked.rank, clock=_now_ns)
        )
        sys.stdout.write(f"{text}\n")
        sys.stderr.write("this is shown once: keep it where secrets are kept\n")
    elif asked.what == "remove":
        kept.remove(asked.name)
        sys.stdout.write(f"{asked.name} opens nothing any more\n")
    else:
        for key in kept.all():
            made = datetime.fromtimestamp(key.made_at_ns // NS_PER_S, UTC)
            told = f"{key.name}  {key.rank}  {key.id}  made {made:%Y-%m-%d %H:%M} UTC"
            if key.ends_at_ns is not None:
                ends = datetime.fromtimestamp(key.ends_at_ns // NS_PER_S, UTC)
                told += f"  ends {ends:%Y-%m-%d %H:%M} UTC"
            sys.stdout.write(f"{told}\n")


def _now_ns() -> int:
    return int(datetime.now(UTC).timestamp()) * NS_PER_S


async def _serve() -> None:
    give_back_what_is_large()
    async with open_gateway(os.environ, directory=Path.cwd()) as opened:
        use_zone(opened.front_end.settings.time_zone)
        gateway = make_gateway(
            opened.front_end.facade,
            opened.front_end.settings,
            opened.terms,
            opened.front_end.clock,
        )
        await run_gateway(
            gateway, port=opened.terms.port, stop=opened.front_end.stop, on_ready=opened.on_ready
        )


if __name__ == "__main__":
    sys.exit(exit_code_after(main))
