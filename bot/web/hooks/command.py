"""``python -m bot.web hooks``: where providers may post, and the secrets that sign it."""

import argparse
import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.web.hooks.endpoints import OLD_SECRET_H, Endpoint, Endpoints
from bot.web.hooks.provider_list import PROVIDERS


def add_verb(verbs: Any) -> None:
    """Add what the command line may say of webhooks to its verbs."""
    hooks = verbs.add_parser("hooks", help="webhooks: where providers post events of chains")
    what = hooks.add_subparsers(dest="what", required=True)
    what.add_parser("list", help="list them; no secrets")
    add = what.add_parser("add", help="make one; its secret is read from the terminal or a pipe")
    add.add_argument("name", help="of the stream: a-z, 0-9 and -")
    add.add_argument("--provider", required=True, choices=sorted(PROVIDERS))
    add.add_argument("--chain", default="", help="of all its events; moralis says it itself")
    rotate = what.add_parser("rotate", help="another secret; the old one is good for a while")
    rotate.add_argument("name")
    rotate.add_argument("--old-hours", type=int, default=OLD_SECRET_H)
    remove = what.add_parser("remove", help="take nothing there any more, at once")
    remove.add_argument("name")


def obey(asked: argparse.Namespace, directory: Path, clock: Callable[[], int]) -> None:
    """Do what the command line says of webhooks.

    Raises:
        BadValueError: something of it cannot be.
        FatalError: the file cannot be read or written.
    """
    endpoints = Endpoints(directory)
    now_s = clock() // 1_000_000_000
    if asked.what == "add":
        made = endpoints.add(asked.name, asked.provider, asked.chain, _secret())
        sys.stdout.write(f"/hooks/{made.path}\n")
        sys.stderr.write(
            f"give {made.provider} your address with this behind it; whoever knows it can post\n"
        )
    elif asked.what == "rotate":
        changed = endpoints.rotate(asked.name, _secret(), now_s=now_s, old_h=asked.old_hours)
        sys.stdout.write(f"{_line(changed, now_s)}\n")
    elif asked.what == "remove":
        endpoints.remove(asked.name)
        sys.stdout.write(f"nothing is taken at {asked.name} any more\n")
    else:
        for one in endpoints.all():
            sys.stdout.write(f"{_line(one, now_s)}\n")


def _secret() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("the provider's secret: ")
    return sys.stdin.readline()


def _line(one: Endpoint, now_s: int) -> str:
    until = [
        secret.until_s
        for secret in one.secrets
        if secret.until_s is not None and now_s < secret.until_s
    ]
    old = f"  an old secret is good until {_moment(max(until))}" if until else ""
    return f"{one.name}  {one.provider}  {one.chain or 'as bodies say'}  /hooks/{one.path}{old}"


def _moment(at_s: int) -> str:
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
