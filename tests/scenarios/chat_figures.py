"""How fast the chat is: `make bench-chat`. A whole installation on the sandbox, an emulated phone.

- A kill, from when it is sent until the latch stands on the disk, with 40 slow commands under way
  and 300 updates waiting before it.
- Every command that only shows, from when it is sent until its answer has arrived.
- Every picture, likewise.
- What asking for screens all the time does to the engine's time from frame to decision.
"""

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.command import Kind
from bot.command_table import COMMANDS
from engine.requests.overview import GetStatus
from tests.scenarios.rig import Installation, running_installation
from tests.telegram.emulator import TelegramEmulator

SLOW = 40
WAITING = 300
APART_S = 1.3
"""Telegram lets a bot write to one chat about once a second; faster is its wait, not ours."""

SLOW_LINE = "/pnl 365"
CHARTS = ("equity", "expected", "funnel", "latency", "spreads")
PICTURED = {"chart", "export", "pnl"}
"""Commands whose answer is a picture or a file: drawn in a process that starts for it."""

NEEDS = {"why": "", "trade": "", "export": "trades 1", "chart": "equity", "trades": "5"}
BUSY_S = 20.0
IDLE_S = 0.1
"""Less than this much of the processor in a second is no work."""


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return median, p99 and the most, in ms; of few values the p99 is the most."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        "n": len(ordered),
        "median_ms": round(ordered[last // 2] * 1_000, 1),
        "p99_ms": round(ordered[round(last * 0.99)] * 1_000, 1),
        "most_ms": round(ordered[-1] * 1_000, 1),
    }


async def time_kills(installation: Installation, trials: int) -> list[float]:
    """Return how long each kill took until the latch stood on the disk."""
    phone, latch = installation.phone, installation.data_dir / "kill-latch"
    taken = []
    for number in range(trials):
        with collected():
            for _ in range(SLOW):
                phone.person_writes(SLOW_LINE)
            for _ in range(WAITING):
                phone.person_writes("/status")
            started_s = time.perf_counter()
            phone.person_writes("/kill")
            while latch.read_bytes() == b"clear\n":
                await asyncio.sleep(0.0005)
            taken.append(time.perf_counter() - started_s)
        await installation.until_status(lambda now: now.is_killed)
        await phone.wait_until(lambda: not phone.unconfirmed())
        latch.write_bytes(b"clear\n")
        await installation.until_status(lambda now: not now.is_killed)
        await until_idle(installation)
        sys.stderr.write(f"\rkill {number + 1} of {trials}: {taken[-1] * 1_000:.0f} ms ")
    return taken


@contextmanager
def collected() -> Iterator[None]:
    """Have no garbage collected here meanwhile: the emulated Telegram keeps all that was said."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def until_idle(installation: Installation) -> None:
    """Wait until the chat has nothing under way: its process rests."""
    bot = installation.role("bot")
    before_s = -1.0
    while (spent_s := bot.cpu_times().user + bot.cpu_times().system) - before_s > IDLE_S:
        before_s = spent_s
        await asyncio.sleep(1.0)


async def time_answer(installation: Installation, line: str) -> float:
    """Return how long a line took until something new, or changed, was in the chat."""
    phone = installation.phone
    before = phone.transcript()
    started_s = time.perf_counter()
    phone.person_writes(line)
    await phone.wait_until(lambda: phone.transcript() != before)
    return time.perf_counter() - started_s


async def time_screens(installation: Installation, times: int) -> dict[str, list[float]]:
    """Return the times of every command that only shows."""
    shown = [e.name for e in COMMANDS if e.kind is Kind.READ and e.name not in PICTURED]
    lines = [f"/{name} {NEEDS.get(name, '')}".strip() for name in shown]
    found: dict[str, list[float]] = {line: [] for line in lines}
    for _ in range(times):
        for line in lines:
            await asyncio.sleep(APART_S)
            found[line].append(await time_answer(installation, line))
            sys.stderr.write(f"\r{line}: {found[line][-1] * 1_000:.0f} ms            ")
    return found


async def time_charts(installation: Installation, times: int) -> dict[str, list[float]]:
    """Return the times of every picture."""
    found: dict[str, list[float]] = {}
    for chart in CHARTS:
        found[chart] = []
        for number in range(times):
            await asyncio.sleep(APART_S)
            # Another range each time, or it would be the picture that was drawn before.
            line = f"/chart {chart} {number + 2}" if chart != "spreads" else "/spreads picture"
            found[chart].append(await time_answer(installation, line))
    found["pnl"] = []
    for number in range(times):
        await asyncio.sleep(APART_S)
        found["pnl"].append(await time_answer(installation, f"/pnl {number + 2}"))
    return found


async def decision_p99_us(installation: Installation) -> float:
    """Return the engine's own p99 from frame to decision, of its newest samples."""
    status = await installation.facade.ask(GetStatus())
    latency = getattr(status, "latency_us", {})
    return float(latency["p99"])


async def compare_engine(installation: Installation) -> dict[str, float]:
    """Return the engine's p99 while nobody asks, and while screens are asked for all the time."""
    await asyncio.sleep(BUSY_S)
    calm = await decision_p99_us(installation)
    end_s = time.monotonic() + BUSY_S
    while time.monotonic() < end_s:
        for line in ("/status", "/venues", "/opportunities", "/spreads", "/limits"):
            installation.phone.person_writes(line)
        await asyncio.sleep(1.0)
    busy = await decision_p99_us(installation)
    return {"calm_p99_us": calm, "busy_p99_us": busy, "ratio": round(busy / calm, 2)}


async def measure(kills: int, times: int) -> dict[str, object]:
    """Measure everything once."""
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        async with (
            TelegramEmulator().serve() as phone,
            running_installation(Path(directory) / "var", phone, speed=1) as installation,
        ):
            await installation.until_live()
            await installation.go_to_paper()
            await installation.until_trade_told()
            screens = await time_screens(installation, times)
            charts = await time_charts(installation, times)
            engine = await compare_engine(installation)
            taken = await time_kills(installation, kills)
            await installation.stop()
    every = [one for times_of in screens.values() for one in times_of]
    drawn = [one for times_of in charts.values() for one in times_of]
    return {
        "kill": quantiles(taken),
        "screens": quantiles(every),
        "slowest screens": {
            line: quantiles(screens[line])
            for line in sorted(screens, key=lambda line: -max(screens[line]))[:3]
        },
        "charts": quantiles(drawn),
        "engine": engine,
    }


def main() -> int:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.kills, options.times)), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
