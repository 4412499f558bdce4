"""Seeded worlds of hours with agents, and the same without: do they earn more than they cost?

`make world HOURS=1 SEEDS=4`

The agents run in the world as they do live. The same hours are then played with what they advised
and without any of it. In the world `rivals` there is something to learn; in `control` there is not;
in `forks` it is what forks know of routes, and only they are asked.
Each seed's world is kept once it is over, so that a run that was ended, or asked for fewer seeds,
is gone on with; what other code came to does not count.
"""

import argparse
import logging
import multiprocessing
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Final

import msgspec

from engine.agents.task_list import TASKS
from engine.background.effects import Tally, differences
from engine.wiring.counterfactual import play, unchanged, without_any
from tests.background.agents import Agents
from tests.background.habits import WORLDS
from tests.background.world import run_world
from tests.background.worlds_kept import Came, Kept, Lived, code_of, told, verdict_of, write_row
from tests.simulation.simulation import MEMORY, make_empty_database

ROOT: Final = Path(__file__).resolve().parents[2]
KEPT: Final = ROOT / ".benchmarks" / "worlds.jsonl"
PAGE: Final = ROOT / "docs" / "background.md"


def live(name: str, seed: int, *, hours: float, pace: float, code: str) -> Lived:
    """Let a world run with agents, and play it with what they advised and without."""
    logging.disable(logging.CRITICAL)
    began_s = time.monotonic()
    habits, seconds = WORLDS[name], hours * 3_600
    tasks = [task for task in TASKS if habits.agent in {"", task.agent}]
    agents = Agents(pace=pace, tasks=tasks)
    with tempfile.TemporaryDirectory(dir=MEMORY) as place:
        root = Path(place)
        for folder in ("empty", "world"):
            (root / folder).mkdir()
        world = run_world(
            seed,
            root / "world",
            seconds=seconds,
            empty_database=make_empty_database(root / "empty"),
            beside=agents,
            habits=habits,
        )
        since_ns = world.life.header.started_at_ns
        ways = []
        for change in (unchanged, without_any):
            tally = Tally(since_ns=since_ns)
            shapes = getattr(world.chain, "shapes", None)
            play(world.recording, first=0, put=tally.take, change=change, forks=shapes)
            ways.append(tally)
    given, withheld = ways
    return Lived(
        world=name,
        seed=seed,
        hours=hours,
        pace=pace,
        code=code,
        gains_usd=differences(given, withheld, until_ns=since_ns + int(seconds * 1e9)),
        given=given.sums(),
        withheld=withheld.sums(),
        runs=agents.runs,
        found=agents.found,
        acted=agents.acted,
        missed=agents.missed,
        cpu_s=agents.cpu_s,
        openings=getattr(world.chain, "openings", 0),
        takes=getattr(world.chain, "takes", 0),
        took_s=time.monotonic() - began_s,
    )


def lived(asked: argparse.Namespace, name: str, kept: Kept, *, until_s: float) -> Iterator[Lived]:
    """Return what each seed's world came to, in the order in which they end; kept ones at once.

    None begins after an instant.
    """
    own = {"hours": asked.hours, "pace": asked.pace, "code": kept.code}
    seeds = iter(range(asked.seed, asked.seed + asked.seeds))
    missing = []
    for seed in seeds:
        if (known := kept.find(name, seed, hours=asked.hours, pace=asked.pace)) is not None:
            yield known
        else:
            missing.append(seed)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(asked.jobs, mp_context=context, max_tasks_per_child=1) as pool:
        running: set[Future[Lived]] = set()
        while missing or running:
            while missing and len(running) < asked.jobs and time.monotonic() < until_s:
                running.add(pool.submit(live, name, missing.pop(0), **own))
            if not running:
                return
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for one in ended:
                kept.add(one.result())
                yield one.result()


def _progress(one: Lived, came: Came) -> None:
    effect, more_h = came.effect(), came.hours_missing()
    left = "" if more_h is None else f"; told after {more_h:.1f} hours more, if it stays so"
    sys.stderr.write(
        f"{one.world} {one.seed}: with {one.given.profit_usd:.2f} USD ({one.given.captured} of"
        f" {one.given.found}, cost {one.given.cost_usd:.2f}), without"
        f" {one.withheld.profit_usd:.2f} ({one.withheld.captured}, cost"
        f" {one.withheld.cost_usd:.2f}), in {one.took_s:.0f} s; all {len(came.seeds)}:"
        f" {effect.gain_usd_hour:+.2f} USD/h ({effect.low_usd_hour:+.2f} to"
        f" {effect.high_usd_hour:+.2f}){left}\n"
    )


def _end(*_: object) -> None:
    """End at once, with the worlds that run."""
    for process in multiprocessing.active_children():
        process.kill()
    raise KeyboardInterrupt


def main() -> int:
    """Run the worlds and say what came of them; the last line is one JSON object."""
    parser = argparse.ArgumentParser(prog="python -m tests.background.agents_world")
    parser.add_argument("--hours", type=float, default=1.0, help="of each seed")
    parser.add_argument("--seed", type=int, default=1, help="the first of them")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--pace", type=float, default=1.0, help="tasks run so much more often")
    parser.add_argument("--world", choices=[*WORLDS], action="append", default=[])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no seed begins later")
    parser.add_argument("--jobs", type=int, default=1, help="worlds at once")
    parser.add_argument("--page", action="store_true", help="write the rows of docs/background.md")
    asked = parser.parse_args()
    until_s = time.monotonic() + 60 * asked.minutes
    kept, results = Kept(KEPT, code=code_of(ROOT)), []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    for name in asked.world or WORLDS:
        came = Came()
        try:
            for one in lived(asked, name, kept, until_s=until_s):
                came.add(one)
                _progress(one, came)
        except KeyboardInterrupt:
            sys.stderr.write("ended; the same command goes on\n")
            until_s = 0.0
        if came.seeds:
            results.append(told(name, came, hours=asked.hours))
            sys.stdout.write(f"{name}: {verdict_of(came)}\n")
            if asked.page:
                write_row(PAGE, name, came, hours=asked.hours)
    sys.stdout.write(msgspec.json.encode(results).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
