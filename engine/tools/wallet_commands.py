"""The commands that take a wallet live: deploy our contract, and try all of it before it counts."""

import argparse
import sys
from pathlib import Path

from engine.domain.errors import SettingsError
from engine.operate import exit_codes
from engine.operate.streams import say as _say
from engine.settings.schema import Settings
from engine.wiring.paths import Paths


async def deploy(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Deploy our contract, after a dry run and a person's word."""
    from engine.tools.deploying import run_deploy
    from engine.tools.network_deploying import Owner

    if not asked.yes and not sys.stdin.isatty():
        raise SettingsError("make deploy asks before it sends: run it in a terminal, or with --yes")
    is_done = await run_deploy(
        settings,
        paths,
        chain=asked.chain,
        is_upgradeable=asked.upgradeable,
        env_file=Path.cwd() / ".env",
        ask=None if asked.yes else input,
        say=_say,
        owner=Owner(
            keystore=asked.owner_keystore,
            password_file=asked.owner_password_file,
            recovery=asked.recovery,
            wrapped=asked.wrapped,
        ),
    )
    return exit_codes.OK if is_done else exit_codes.FAILED


async def exchange_test(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Try all that has to be so before orders go to an exchange."""
    from engine.tools.exchange_test import run_exchange_test

    is_well = await run_exchange_test(settings, paths, venue=asked.venue, say=_say)
    return exit_codes.OK if is_well else exit_codes.FAILED


async def self_test(settings: Settings, paths: Paths, asked: argparse.Namespace) -> int:
    """Try all that has to be so before the wallet goes live."""
    from engine.tools.self_test import run_self_test

    is_well = await run_self_test(settings, paths, chain=asked.chain, say=_say)
    return exit_codes.OK if is_well else exit_codes.FAILED
