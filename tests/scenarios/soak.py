"""Does the memory of any role grow? `python -m tests.scenarios.soak --minutes 120` (make soak).

The whole installation runs on the sandbox in mode paper, as `make demo` does. At the end each
role's slope is printed with an interval and a verdict; growth that chance does not explain fails
it. What a role takes in its first minutes is no leak, and what else the machine does changes
nothing of it. What is known so far is kept each minute in a file; SIGTERM or Ctrl-C end it early,
with the verdicts of what was seen until then.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import psutil
from msgspec.structs import replace

from engine.bus.command import seal
from engine.bus.work_reports import LEAK_MB_H, RoleUse
from engine.domain.modes import Mode
from engine.operate.lifeline import stop_signals
from engine.operate.role_uses import SAMPLES_MAX, RoleUses
from engine.operate.supervisor import Supervisor
from engine.requests.safety import SetMode
from engine.settings.schema import Settings
from engine.wiring.front_end import open_facade
from engine.wiring.local_chains import with_usual_chains
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs, supervisor_lease
from tests.patience import insist

LOOK_S: Final = 5.0
WARM_RATIO: Final = 0.25
"""Share of the time that counts as warming up, five minutes at most."""

TELL_S: Final = 60.0
KEPT: Final = Path(".benchmarks/soak.json")
WIDER: Final = 4.0 / 2.306
"""A dozen roles share the chance of 1 in 20 that one of them is called growing and is not:
Student's t with eight degrees of freedom for two in a thousand each side, over that for 95 %."""


class Grows(StrEnum):
    """What is known of a role's memory."""

    FLAT = "flat"
    """No growth that chance does not explain; `at_most_mb_h` says how much it may be yet."""
    SLIGHTLY = "grows by less than a leak"
    YES = "grows"
    UNKNOWN = "seen for too short a time"


def verdict_of(use: RoleUse) -> tuple[Grows, float, float]:
    """Return how a role's memory stands, and between which MB an hour its growth lies."""
    if use.leak_mb_h is None:
        return Grows.UNKNOWN, 0.0, 0.0
    half = (use.leak_high - use.leak_low) / 2 * WIDER
    low, high = use.leak_mb_h - half, use.leak_mb_h + half
    if low > LEAK_MB_H:
        return Grows.YES, low, high
    return (Grows.SLIGHTLY if low > 0 else Grows.FLAT), low, high


def told(
    uses: list[RoleUse], *, minutes: float, asked_min: float, restarts: dict[str, int]
) -> dict[str, Any]:
    """Return what is known so far as plain values."""
    roles: dict[str, Any] = {}
    for use in uses:
        verdict, low, high = verdict_of(use)
        is_known = verdict is not Grows.UNKNOWN
        roles[use.role] = {
            "memory_mb": round(use.memory_mb, 1),
            "verdict": verdict.value,
            "grows_mb_h": None if use.leak_mb_h is None else round(use.leak_mb_h, 2),
            "from_mb_h": round(low, 2) if is_known else None,
            "at_most_mb_h": round(high, 2) if is_known else None,
            "over_min": round(use.over_s / 60, 1),
            "files": use.files,
            "sockets": use.sockets,
        }
    verdicts = Counter(role["verdict"] for role in roles.values())
    return {
        "minutes": round(minutes, 1),
        "minutes_asked": asked_min,
        "is_whole": minutes >= asked_min,
        "verdicts": dict(verdicts),
        "restarts": restarts,
        "roles": roles,
    }


def says(found: dict[str, Any]) -> str:
    """Say what came of it in a sentence."""
    roles = found["roles"]
    growing = [name for name, role in roles.items() if role["verdict"] == Grows.YES]
    unknown = [name for name, role in roles.items() if role["verdict"] == Grows.UNKNOWN]
    early = "" if found["is_whole"] else f", ended early ({found['minutes_asked']:g} were asked)"
    over = f"after {found['minutes']:g} minutes{early}"
    if growing:
        return f"Memory grows in {', '.join(growing)} {over}."
    if unknown or not roles:
        return f"Nothing is said of {', '.join(unknown) or 'any role'} {over}: too short."
    most = max(roles, key=lambda name: roles[name]["at_most_mb_h"])
    at_most = roles[most]["at_most_mb_h"]
    return f"No role leaks {over}; the least sure is {most}: at most {at_most} MB/h."


def settings_of(folder: Path) -> Settings:
    """Return the usual settings, with all data below a folder."""
    settings = Settings()
    return replace(settings, data=replace(settings.data, dir=str(folder)))


async def soak(
    folder: Path, *, minutes: float, keep: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Run for some minutes, or until a signal; return what each role used and how that grew.

    Args:
        folder: of the installation.
        minutes: how long.
        keep: is given what is known, each minute.
    """
    settings, paths = settings_of(folder), prepare(str(folder))
    uses = RoleUses(parent=psutil.Process, warm_s=min(300.0, WARM_RATIO * 60 * minutes))
    restarts: Counter[str] = Counter()
    look_s = max(LOOK_S, 60 * minutes / SAMPLES_MAX)  # so that no sample of the run is dropped

    def on_restart(role: str, why: str, _: object) -> None:
        restarts[role] += 1
        print(f"{role} was started again: {why}", file=sys.stderr)

    supervisor = Supervisor(role_specs(settings, paths, has_bot=False), on_restart=on_restart)
    end, ready = asyncio.Event(), asyncio.Event()
    began_s = time.monotonic()

    def known() -> dict[str, Any]:
        passed_min = (time.monotonic() - began_s) / 60
        return told(uses.uses, minutes=passed_min, asked_min=minutes, restarts=dict(restarts))

    async def watch(stop: asyncio.Event) -> None:
        nonlocal began_s
        await ready.wait()
        async with open_facade(paths, with_usual_chains(settings)) as facade:
            command = SetMode(mode=Mode.PAPER, is_confirmed=True)
            sealed = seal(command, by="soak", at_ns=time.time_ns(), target=settings.engine.id)
            await insist(facade, sealed)
        began_s = time.monotonic()
        until_s, tell_s = began_s + 60 * minutes, 0.0
        while time.monotonic() < until_s and not stop.is_set():
            uses.look()
            if time.monotonic() - tell_s > TELL_S:
                tell_s = time.monotonic()
                keep(known())
                shown = ", ".join(f"{one.role} {one.memory_mb:.1f}" for one in uses.uses)
                print(f"{(until_s - tell_s) / 60:.0f} min left: {shown} MB", file=sys.stderr)
            try:
                async with asyncio.timeout(min(look_s, max(until_s - time.monotonic(), 0.01))):
                    await stop.wait()
            except TimeoutError:
                pass
        end.set()

    async def pass_on(stop: asyncio.Event) -> None:
        await stop.wait()
        end.set()  # also where it is not ready yet

    found: dict[str, Any] = {}
    with supervisor_lease(paths) as lease:
        async with stop_signals(lease=lease) as stop, asyncio.TaskGroup() as group:
            beside = [group.create_task(one(stop)) for one in (watch, pass_on)]
            await supervisor.run(end, on_ready=ready.set)
            found = known()
            for task in beside:
                task.cancel()
    keep(found)
    return found


def main() -> int:
    """Soak; print what came of it as JSON, and a sentence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--kept", type=Path, default=KEPT, help="what is known so far")
    asked = parser.parse_args()

    def keep(found: dict[str, Any]) -> None:
        asked.kept.parent.mkdir(parents=True, exist_ok=True)
        asked.kept.write_text(json.dumps(found, indent=2) + "\n")

    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = asyncio.run(soak(Path(folder), minutes=asked.minutes, keep=keep))
    print(json.dumps(found, indent=2))
    print(says(found))
    return int(Grows.YES in found["verdicts"])


if __name__ == "__main__":
    sys.exit(main())
