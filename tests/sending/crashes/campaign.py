"""`make crash-points`: the sender ended at N commit boundaries, or killed at N system calls.

Each play's crashes are at every boundary of it, with the recovery ended too, and the recovery of
that; kills are at random system calls, three deep. `KIND=orders` kills trader and signer the same
way while orders are placed, `KIND=books` engine and ledger with them. What breaks a rule stops it
and says how it is seen again.
"""

import argparse
import logging
import math
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, TypeVar

from tests.sending.crashes.kills import KillTally, try_kills
from tests.sending.crashes.plays import RAM, Tally, endings, played
from tests.sending.crashes.served import served
from tests.trading.killed.kills import kill_while_booking, kill_while_placing
from tests.trading.killed.venues import open_venues

SLICE: Final = 20
"""Plays or trials that a worker does before it says what it did."""

TOLD_S: Final = 10.0

Done = TypeVar("Done", Tally, KillTally)
ControlT = TypeVar("ControlT")


def _be_silent() -> None:
    """Say nothing of each play's troubles, in a process that does nothing else."""
    logging.getLogger("engine").setLevel(logging.CRITICAL)


def boundaries(seed: int) -> Tally:
    """Play a seed once, and once for each of its boundaries."""
    tally = Tally()
    undisturbed = played(seed, ())
    tally.add(undisturbed)
    for ends in endings(seed, len(undisturbed.seen)):
        tally.add(played(seed, ends))
    return tally


def kills(first: int) -> KillTally:
    """Try the next seeds from one on."""
    return _trials(first, served, try_kills)


def kills_of_orders(first: int) -> KillTally:
    """Try the next seeds from one on, of orders at exchanges."""
    return _trials(first, open_venues, kill_while_placing)


def kills_of_books(first: int) -> KillTally:
    """Try the next seeds from one on, of orders that are booked."""
    return _trials(first, open_venues, kill_while_booking)


def _trials(
    first: int,
    opened: Callable[[Path], AbstractContextManager[ControlT]],
    kill: Callable[[ControlT, Path, int, KillTally], None],
) -> KillTally:
    tally = KillTally()
    room = RAM if RAM.is_dir() else None
    with (
        tempfile.TemporaryDirectory(prefix="kill", dir=room) as folder,
        opened(Path(folder)) as control,
    ):
        for seed in range(first, first + SLICE):
            try:
                kill(control, Path(folder), seed, tally)
            except Exception as error:
                raise AssertionError(f"kill trial {seed}: {error}") from error
    return tally


KILLS: Final = {"kill": kills, "orders": kills_of_orders, "books": kills_of_books}


def run(
    work: Callable[[int], Done],
    seeds: range,
    tally: Done,
    *,
    enough: int,
    workers: int,
    minutes: float,
) -> Done:
    """Work in processes until enough crashes were tried, or the time is over."""
    began_s = time.monotonic()
    context = multiprocessing.get_context("forkserver")
    waiting: set[Future[Done]] = set()
    told_s, left = 0.0, iter(seeds)
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=_be_silent, max_tasks_per_child=50
    ) as pool:
        while tally.depths.total() < enough:
            while len(waiting) < 2 * workers:
                waiting.add(pool.submit(work, next(left)))
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for one in done:
                tally.join(one.result())
            if time.monotonic() - told_s > TOLD_S:
                told_s = time.monotonic()
                so_far = f"{tally.depths.total()} of {enough} in {told_s - began_s:.0f} s"
                print(so_far, file=sys.stderr, flush=True)
            if time.monotonic() - began_s > 60 * minutes:
                break
        pool.shutdown(cancel_futures=True)
    return tally


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crashes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=("commits", *KILLS), default="commits")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end then")
    options = parser.parse_args()
    began_s = time.monotonic()
    most = range(options.seed, options.seed + options.crashes * SLICE)
    if options.kind == "commits":
        done = run(
            boundaries,
            most,
            Tally(),
            enough=options.crashes,
            workers=options.workers,
            minutes=options.minutes,
        )
        print(f"{done.plays:,} plays of {done.plans:,} plans; fates: {_told(done.fates)}")
        print(f"by boundary: {_told(done.crashes)}")
        depths = done.depths
    else:
        seeds = range(most.start, most.stop, SLICE)
        killed = run(
            KILLS[options.kind],
            seeds,
            KillTally(),
            enough=options.crashes,
            workers=options.workers,
            minutes=options.minutes,
        )
        print(f"{killed.trials:,} trials of {killed.plans:,} plans")
        names = {f"{call}, {'done' if is_done else 'undone'}": count
                 for (call, is_done), count in killed.kills.items()}  # fmt: skip
        print(f"by system call: {_told(names)}")
        depths = killed.depths
    print(
        f"{depths.total():,} crashes: {depths[0]:,} of a first life, {depths[1]:,} of a recovery,"
        f" {depths[2]:,} of the recovery after that; 0 lost, 0 doubled;"
        f" {time.monotonic() - began_s:.0f} s, {options.workers} workers"
    )
    return 0


def _told(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda one: -one[1])
    return ", ".join(f"{name} {count:,}" for name, count in ordered)


if __name__ == "__main__":
    sys.exit(main())
