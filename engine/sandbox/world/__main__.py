"""Runs local chains as a process of the sandbox's: ``python -m engine.sandbox.world base``.

It tells in one line where they are, takes lines of prices (JSON: asset and dollars) from its
standard input, and ends when that ends.
"""

import argparse
import json
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import msgspec

from engine.sandbox.world.building import built
from engine.sandbox.world.packages import NoWorldError
from engine.sandbox.world.running import LivingChain

EXIT_NONE = 3
LINES_BYTES_MAX = 1 << 16


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until standard input ends; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.sandbox.world", description=__doc__)
    parser.add_argument("chains", nargs="+")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--speed", type=float, default=1.0)
    options = parser.parse_args(arguments)
    # Whoever started it ends it, by closing the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with ExitStack() as stack:
        chains: dict[str, LivingChain] = {}
        try:
            for name in options.chains:
                chains[name] = LivingChain(
                    built(name, has_strangers=True), seed=options.seed, speed=options.speed
                )
                stack.callback(chains[name].close)
        except NoWorldError as error:
            _say({"why_none": str(error)})
            return EXIT_NONE
        _say({"chains": {name: one.announced() for name, one in chains.items()}})
        _live(chains)
    return 0


def _live(chains: dict[str, LivingChain]) -> None:
    """Make each block when it is due, until standard input ends."""
    unread = b""
    while True:
        due = min(chains.values(), key=lambda one: one.due_at)
        wait_s = max(due.due_at - time.monotonic(), 0.0)
        if select.select([0], [], [], wait_s)[0]:
            some = os.read(0, LINES_BYTES_MAX)
            if not some:
                return
            *lines, unread = (unread + some).split(b"\n")
            for line in lines:
                for one in chains.values():
                    one.take(json.loads(line))
        else:
            due.step()


def _say(content: Any) -> None:
    sys.stdout.write(msgspec.json.encode(content).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
