"""Runs the sandbox markets as a process: ``python -m engine.sandbox``."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from engine.sandbox.announce import STDOUT, announce
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_script import (
    INTENSITIES,
    AnyFault,
    load_fault_script,
    make_fault_script,
)
from engine.sandbox.lineup import load_wire_names
from engine.sandbox.server import open_sandbox
from engine.sandbox.settings import SandboxSettings

EXIT_CANNOT_START = 2
SCRIPT_LENGTH_S = 3600.0
"""Length of a made script when the sandbox runs until it is stopped."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal or the end of `--seconds`; return the exit code."""
    options = _parse(arguments)
    try:
        settings = SandboxSettings(
            host=options.host,
            port=options.port,
            speed=options.speed,
            seed=options.seed,
            faults=_choose_faults(options),
            chains=tuple(filter(None, options.chains.split(","))),
            bitstamp_cache_s=options.bitstamp_cache_s,
            coinbase_padding_levels=options.coinbase_padding_levels,
        )
        asyncio.run(_serve(settings, target=options.announce, seconds=options.seconds))
    except SandboxStartError as error:
        sys.stderr.write(f"sandbox: {error}\n")
        return EXIT_CANNOT_START
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m engine.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--speed", type=float, default=1.0, help="replay seconds per second")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.0, help="end after this; 0 never")
    parser.add_argument("--announce", default=STDOUT, help="file, or - for standard output")
    parser.add_argument("--chains", default="", help="local chains, as base,ethereum")
    parser.add_argument("--bitstamp-cache-s", type=float, default=0.0)
    parser.add_argument("--coinbase-padding-levels", type=int, default=0)
    faults = parser.add_mutually_exclusive_group()
    faults.add_argument("--fault-script", type=Path, help="TOML or JSON file")
    faults.add_argument("--faults", choices=["none", *INTENSITIES], default="none")
    return parser.parse_args(arguments)


def _choose_faults(options: argparse.Namespace) -> tuple[AnyFault, ...]:
    if options.fault_script is not None:
        return load_fault_script(options.fault_script)
    if options.faults == "none":
        return ()
    return make_fault_script(
        options.seed,
        (options.seconds or SCRIPT_LENGTH_S) * options.speed,
        options.faults,
        wire_names=load_wire_names(),
    )


async def _serve(settings: SandboxSettings, *, target: str, seconds: float) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with open_sandbox(settings) as sandbox:
        announce(target, sandbox.announcement())
        try:
            async with asyncio.timeout(seconds or None):
                await stopped.wait()
        except TimeoutError:
            return


if __name__ == "__main__":
    sys.exit(main())
