"""Does the memory of any role grow? `python -m tests.scenarios.soak --minutes 120` (make soak).

The whole installation runs on the sandbox in mode paper, as `make demo` does. At the end each
role's slope is printed with an interval that holds the true one in 19 of 20 cases; growth that
chance does not explain fails it. What a role takes in its first minutes is no leak.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil

from engine.bus.command import seal
from engine.bus.work_reports import RoleUse
from engine.domain.modes import Mode
from engine.operate.role_uses import RoleUses
from engine.operate.supervisor import Supervisor
from engine.requests.safety import SetMode
from engine.settings.schema import Settings
from engine.wiring.front_end import open_facade
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs, supervisor_lease
from tests.patience import insist

LOOK_S: Final = 5.0
WARM_RATIO: Final = 0.25
"""Share of the time that counts as warming up, five minutes at most."""

TELL_S: Final = 60.0


async def soak(folder: Path, *, minutes: float) -> list[RoleUse]:
    """Run for some minutes; return what each role used and how that grew."""
    settings = Settings()
    paths = prepare(str(folder))
    warm_s = min(300.0, WARM_RATIO * 60 * minutes)
    uses = RoleUses(parent=psutil.Process, warm_s=warm_s)
    supervisor = Supervisor(
        role_specs(settings, paths, has_bot=False),
        on_restart=lambda role, why, _: print(f"{role} was started again: {why}", file=sys.stderr),
    )
    end, ready = asyncio.Event(), asyncio.Event()

    async def watch() -> None:
        await ready.wait()
        async with open_facade(paths) as facade:
            command = SetMode(mode=Mode.PAPER, is_confirmed=True)
            await insist(facade, seal(command, by="soak", at_ns=time.time_ns()))
        until_s, tell_s = time.monotonic() + 60 * minutes, 0.0
        while time.monotonic() < until_s:
            uses.look()
            if time.monotonic() - tell_s > TELL_S:
                tell_s = time.monotonic()
                shown = ", ".join(f"{one.role} {one.memory_mb:.1f}" for one in uses.uses)
                print(f"{(until_s - tell_s) / 60:.0f} min left: {shown} MB", file=sys.stderr)
            await asyncio.sleep(LOOK_S)
        end.set()

    with supervisor_lease(paths):
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(watch())
            await supervisor.run(end, on_ready=ready.set)
            watching.cancel()
    return uses.uses


def main() -> int:
    """Soak, and print what came of it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        uses = asyncio.run(soak(Path(folder), minutes=asked.minutes))
    told = {
        use.role: {
            "memory_mb": round(use.memory_mb, 1),
            "grows_mb_h": None if use.leak_mb_h is None else round(use.leak_mb_h, 2),
            "from_mb_h": round(use.leak_low, 2),
            "to_mb_h": round(use.leak_high, 2),
            "over_min": round(use.over_s / 60, 1),
            "is_leaking": use.is_leaking,
            "files": use.files,
            "sockets": use.sockets,
        }
        for use in uses
    }
    print(json.dumps(told, indent=2))
    return int(any(use.is_leaking for use in uses))


if __name__ == "__main__":
    sys.exit(main())
