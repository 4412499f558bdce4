"""`make bench-preemption`: how fast background work is out of the way, at full load on all cores.

A process like the engine's (uvloop, kept awake, with the real hold) hears datagrams, as a venue's
frames come; each one is a trigger. Background processes stamp a shared page all the time, so that
the last stamp of any of them is when the last instruction of background work was. Beside it, what
does not depend on this program: how long a loop is away that only reads the clock, and how late a
datagram is heard when nothing else runs.

What was measured is kept, so that a run may be made in pieces: `--within-s` ends one, and so does
SIGTERM or Ctrl-C, with what is lost of one piece; the next run goes on, within a day. Each time
`benchmarks/latest-preemption.json` and a picture are written, of what there is.
"""

import argparse
import asyncio
import os
import resource
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import uvloop

from benchmarks import preemption_figures, preemption_paced
from benchmarks.preempted import LINE_WORDS, at_full_load
from engine.background.hold import Hold, HoldTerms
from engine.background.hold_page import Page
from engine.background.hold_watch import LOOK_S
from engine.background.switches import Trigger
from engine.operate.awake import kept_awake
from engine.operate.short_slice import ask_for_short_slices

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / ".benchmarks" / "preemption.npz"
TERMS: Final = HoldTerms(quiet_ns=2_000_000, longest_ns=10**9, held_ratio_max=0.99)
"""Each hold lasts as long as anything may take to stop, and shorter than the time between two."""

GAP_S: Final = (0.005, 0.007)
"""Least and most time between two datagrams."""

PIECE: Final = 2_500
"""So many triggers, then a tenth as many datagrams without holds, and as many without work."""

KEPT_S_MAX: Final = 86_400.0
"""What was measured longer ago is not gone on with: it is of another day's code and machine."""

CLOCK_S: Final = 1.0
AWAY_NS: Final = 5_000
"""A loop that reads the clock was away if it took so long between two readings."""

SENDER: Final = """
import random, socket, struct, sys, time
out = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
out.connect(sys.argv[1])
low, high = float(sys.argv[2]), float(sys.argv[3])
chance = random.Random(7)
while True:
    time.sleep(chance.uniform(low, high))
    out.send(struct.pack("q", time.monotonic_ns()))
"""

Numbers = np.ndarray[Any, Any]


class Receiver(asyncio.DatagramProtocol):
    """Takes datagrams as the engine takes frames; each is a trigger where something is held."""

    def __init__(self, count: int, hold: Hold | None, stamps: "memoryview[int] | None") -> None:
        self.done = asyncio.get_running_loop().create_future()
        self.heard = np.zeros(count, np.int64)
        self.called = np.zeros(count, np.int64)
        self.last = np.full(count, -1, np.int64)
        self.woken = np.zeros(count, np.bool_)
        self.ran = np.zeros(count, np.int64)
        self.switched = np.zeros(count, np.bool_)
        self._hold, self._stamps = hold, stamps
        self._count = self._at_ns = self._released_ns = 0
        if hold is not None:
            hold.is_busy = self._look

    def datagram_received(self, data: bytes, _from: Any) -> None:
        """Note when it came, and stop background work."""
        at_ns = time.monotonic_ns()
        count = self._count
        if count == len(self.heard):
            return
        if self._hold is not None and self._hold.is_on():
            return  # so late that it came into the hold of the one before
        self.heard[count] = at_ns - int.from_bytes(data, sys.byteorder)
        if self._hold is not None and self._stamps is not None:
            self.woken[count] = not self._released_ns or self._newest() > self._released_ns
            switches, ran_ns = _switches(), time.thread_time_ns()
            began_ns = time.monotonic_ns()
            self._hold.trigger(Trigger.OPPORTUNITY, "run-1")
            self.called[count] = time.monotonic_ns() - began_ns
            self.ran[count] = time.thread_time_ns() - ran_ns
            self.switched[count] = _switches() != switches
            self._at_ns = began_ns
        self._count = count + 1
        if self._count == len(self.heard):
            asyncio.get_running_loop().call_later(0.02, self.done.set_result, None)

    def _look(self) -> bool:
        """Note when the last instruction was; asked when a hold is to end."""
        self.last[self._count - 1] = max(self._newest() - self._at_ns, 0)
        self._released_ns = time.monotonic_ns()
        return False

    def _newest(self) -> int:
        assert self._stamps is not None
        return max(self._stamps[::LINE_WORDS])


def _switches() -> int:
    """Return how often this thread gave its core to another, or was made to, so far."""
    used = resource.getrusage(resource.RUSAGE_THREAD)
    return used.ru_nvcsw + used.ru_nivcsw


async def receive(count: int, hold: Hold | None, stamps: "memoryview[int] | None") -> Receiver:
    """Hear so many datagrams."""
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        path = f"{folder}/socket"
        inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        inbox.setblocking(False)
        inbox.bind(path)
        transport, receiver = await loop.create_datagram_endpoint(
            lambda: Receiver(count, hold, stamps), sock=inbox
        )
        command = [sys.executable, "-I", "-S", "-c", SENDER, path, *map(str, GAP_S)]
        sender = await asyncio.create_subprocess_exec(*command)
        try:
            await receiver.done
        finally:
            sender.kill()
            await sender.wait()
            transport.close()
    return receiver


async def measure_piece(count: int) -> dict[str, Numbers]:
    """Measure some triggers at full load, and some datagrams with nothing beside them."""
    with tempfile.TemporaryDirectory(prefix="syn") as name:
        folder = Path(name)
        page = Page.make(folder / "page")
        # It looks ten times as often as in the product, for there is a hold each 6 ms.
        with (
            at_full_load(folder, folder / "page", look_s=LOOK_S / 10) as (_, stamps),
            kept_awake(is_wanted=True),
        ):
            hold = Hold(
                "engine-bench",
                folder / "page",
                terms=TERMS,
                call_later=asyncio.get_running_loop().call_later,
                call_soon=asyncio.get_running_loop().call_soon,
            )
            hold.look()
            ask_for_short_slices()
            if hold.trouble:
                raise RuntimeError(hold.trouble)
            full = await receive(count, hold, stamps)
            unheld = await receive(max(count // 10, 1), None, None)
            failures = hold.failures + hold.passed_over
            hold.close()
        page.remove()
    with kept_awake(is_wanted=True):
        alone = await receive(max(count // 10, 1), None, None)
    ask_for_short_slices(0)
    return {
        "last": full.last,
        "called": full.called,
        "ran": full.ran,
        "switched": full.switched,
        "woken": full.woken,
        "heard_held": full.heard,
        "heard_full": unheld.heard,
        "heard_alone": alone.heard,
        "failures": np.array([failures]),
        "away": away_ns(),
    }


def away_ns() -> Numbers:
    """Return how long a loop was away that only reads the clock, on each core in turn.

    The first two numbers: how long it ran in all, and 0. Processor time counts for a thread while
    it has its core; so where the guest switches to nobody, what is missing of it the host took.
    """
    cores, found, now = os.sched_getaffinity(0), [], time.monotonic_ns
    ran_ns = 0
    for core in sorted(cores):
        os.sched_setaffinity(0, {core})
        began_ns = before_ns = now()
        while before_ns - began_ns < CLOCK_S * 1e9:
            at_ns = now()
            if at_ns - before_ns > AWAY_NS:
                found.append(at_ns - before_ns)
            before_ns = at_ns
        ran_ns += before_ns - began_ns
    os.sched_setaffinity(0, cores)
    return np.array([ran_ns, 0, *found], np.int64)


def kept() -> dict[str, Numbers]:
    """Return what was measured before, today."""
    if not KEPT.exists() or time.time() - KEPT.stat().st_mtime > KEPT_S_MAX:
        return {}
    with np.load(KEPT) as file:
        found = dict(file)
    # Triggers that were measured before all of this was noted do not go with those of now.
    return found if "last" not in found or "ran" in found else {}


def keep(known: dict[str, Numbers]) -> None:
    """Keep what was measured; whoever is ended in it leaves what was kept before."""
    new = KEPT.with_suffix(".new.npz")
    np.savez_compressed(new, allow_pickle=False, **known)
    new.replace(KEPT)


def measure(known: dict[str, Numbers], triggers: int, *, end_s: float) -> None:
    """Add to what is known what is missing of it, and keep it piece by piece.

    Args:
        known: what was measured before; it grows.
        triggers: how many there are to be.
        end_s: no piece begins that would end after it, by the steady clock.
    """
    if "paced.3_ms.held" not in known:
        sys.stderr.write("frames on a schedule (a minute) ...\n")
        known |= preemption_paced.measure()
        keep(known)
    piece_s = 0.0
    while (has := len(known.get("last", ()))) < triggers:
        if time.monotonic() + piece_s > end_s:
            sys.stderr.write(f"{has:,} of {triggers:,} triggers; run it again to go on\n")
            break
        began_s = time.monotonic()
        new = uvloop.run(measure_piece(min(PIECE, triggers - has)))
        known |= {
            name: np.concatenate([known[name], one]) if name in known else one
            for name, one in new.items()
        }
        keep(known)
        piece_s = time.monotonic() - began_s
        sys.stderr.write(_so_far(known["last"], triggers, piece_s=piece_s))


def _so_far(last: Numbers, triggers: int, *, piece_s: float) -> str:
    """Return a line of progress."""
    left_min = (triggers - len(last)) / PIECE * piece_s / 60
    late = int((last >= preemption_figures.STOPPED_NS).sum())
    mean_us = float(last[last >= 0].mean()) / 1_000
    return (
        f"{len(last):,} of {triggers:,} triggers, {left_min:.0f} min left:"
        f" mean {mean_us:.0f} us, {late} later than 2 ms\n"
    )


def main() -> int:
    """Measure what is missing, and show what there is."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--triggers", type=int, default=100_000)
    parser.add_argument("--within-s", type=float, default=float("inf"))
    parser.add_argument("--stored", action="store_true", help="draw what was measured last")
    asked = parser.parse_args()
    if asked.stored:
        with np.load(KEPT) as file:
            preemption_figures.write(dict(file))
        return 0
    known = kept()
    KEPT.parent.mkdir(exist_ok=True)
    if len(known.get("last", ())) >= asked.triggers:  # it is whole
        known = {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        measure(known, asked.triggers, end_s=time.monotonic() + asked.within_s)
    except KeyboardInterrupt:
        sys.stderr.write("ended; run it again to go on\n")
    if "last" in known:
        preemption_figures.write(known)
    return 0


if __name__ == "__main__":
    sys.exit(main())
