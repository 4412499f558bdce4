"""USERS at once at the API of a whole installation (make load).

Each user has a key and an address of their own, begins a session and then looks at something
every few seconds, as an open page and a program do. What is printed is what they waited for up to
the last byte, seen from a process of its own on the same machine.
"""

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

import aiohttp
import numpy as np
import psutil

from engine.domain.people import Rank
from tests.api.served import Served, served

LOOKS: Final = (
    *("/v1/status",) * 4,
    *("/v1/opportunities", "/v1/venues", "/v1/trades?limit=20", "/v1/limits", "/v1/spreads"),
    *("/v1/balance", "/v1/pnl", "/v1/quotes"),
)
"""What is looked at: the overview most."""

PAUSE_S: Final = 4.0
"""Between two looks of a user, on average: beyond 100 looks a minute they are slowed down."""


class Crowd:
    """All users, what they waited, and what they were answered."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.waited_s: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.is_counting = False
        self.begun = 0

    async def user(self, number: int, key: str, seed: int) -> None:
        """Be a user until cancelled."""
        chance = random.Random(f"{seed}-{number}")
        own = {"X-Forwarded-For": f"10.0.{number // 250}.{number % 250 + 1}"}
        connector = aiohttp.TCPConnector(limit=1)
        async with aiohttp.ClientSession(base_url=self.base, connector=connector) as session:
            async with session.post(
                "/v1/session", headers={**own, "Authorization": f"Bearer {key}"}
            ) as answer:
                token = (await answer.json())["access_token"]
            headers = {**own, "Authorization": f"Bearer {token}"}
            self.begun += 1
            while True:
                await asyncio.sleep(chance.expovariate(1 / PAUSE_S))
                began_s = time.perf_counter()
                try:
                    async with session.get(chance.choice(LOOKS), headers=headers) as answer:
                        await answer.read()
                        status = answer.status
                except aiohttp.ClientError:
                    status = 0
                if self.is_counting:
                    self.waited_s.append(time.perf_counter() - began_s)
                    self.statuses[status] += 1


async def load(at: Served, *, users: int, seconds: float, seed: int) -> dict[str, object]:
    """Let users look for some seconds, once all are there; return the figures."""
    crowd = Crowd(at.base)
    async with asyncio.TaskGroup() as group:
        tasks = []
        for number, key in enumerate(at.keys):
            tasks.append(group.create_task(crowd.user(number, key, seed)))
            await asyncio.sleep(0.05)  # a key that comes first is hashed, one after another
        while crowd.begun < users:
            await asyncio.sleep(0.1)
        gateway = psutil.Process(at.pid)
        before = gateway.cpu_times()
        crowd.is_counting, began_s = True, time.perf_counter()
        await asyncio.sleep(seconds)
        crowd.is_counting, took_s = False, time.perf_counter() - began_s
        after = gateway.cpu_times()
        for one in tasks:
            one.cancel()
    p50, p95, p99 = np.percentile(crowd.waited_s, [50, 95, 99]) * 1_000
    return {
        "users": users,
        "seconds": round(took_s, 1),
        "requests": len(crowd.waited_s),
        "requests_per_s": round(len(crowd.waited_s) / took_s, 1),
        "p50_ms": round(p50, 1),
        "p95_ms": round(p95, 1),
        "p99_ms": round(p99, 1),
        "statuses": dict(sorted(crowd.statuses.items())),
        "gateway_mb": round(gateway.memory_info().rss / 1_048_576, 1),
        "gateway_cpu_ratio": round(
            (after.user + after.system - before.user - before.system) / took_s, 2
        ),
        "machine_load": [round(one, 1) for one in os.getloadavg()],
    }


async def _run(asked: argparse.Namespace) -> dict[str, object]:
    with tempfile.TemporaryDirectory(prefix="syndicate-load-") as folder:
        async with served(Path(folder), rank=Rank.VIEWER, keys=asked.users) as at:
            return await load(at, users=asked.users, seconds=asked.seconds, seed=asked.seed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    print(json.dumps(asyncio.run(_run(parser.parse_args()))))


if __name__ == "__main__":
    main()
