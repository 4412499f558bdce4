"""From a block on a node to its signed transaction, while a whole installation is live.

`make bench-live SECONDS=90`. All roles run on the sandbox as processes of their own, live on its
local chain, whose traders make the chances. When a node tells of a block is taken beside, by a
subscription of this process's own; all else is what the installation itself keeps: when the engine
decided, when it handed over what the ledger had stored, when the signer's answer was there.
"""

import argparse
import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from benchmarks.harness import Row, machine, print_table, row, scalar, write_json
from benchmarks.page import LATEST
from engine.chains.ports import Topic
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.connectors.outbound import open_outbound
from engine.domain.handed import Handed
from engine.sending.beginnings import decided_at
from engine.sending.calls import parse_head
from engine.sending.facts import Life
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from tests.scenarios.live_rig import live_environment
from tests.scenarios.rig import CALM, running_installation
from tests.telegram.emulator import TelegramEmulator

CHAIN: Final = "base"
DECIDED_NS_MAX: Final = 500 * 10**6
"""A plan that was decided later was decided on something else than its block."""

Heard = dict[int, int]


class Way(NamedTuple):
    """Instants on the way of a plan, in ns since 1970."""

    told: int
    decided: int
    handed: int
    signed: int


async def _measure(folder: Path, seconds: float, heard: Heard) -> None:
    data_dir = folder / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=CALM, **live_environment(data_dir, [CHAIN])
        ) as installation,
    ):
        await installation.until_live()
        await installation.go_up_to("live")
        local = read_announcement(Paths(data_dir)).local_chains[CHAIN]
        access = Access(
            name="beside",
            host="127.0.0.1",
            http_url=local.http_urls[0],
            socket_url=local.ws_urls[0],
        )
        async with open_outbound(None) as way, open_pool([access], way) as node:
            hearing = asyncio.create_task(_hear(node, heard))
            await asyncio.sleep(seconds)
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def _hear(node: object, heard: Heard) -> None:
    async with aclosing(node.subscribe(Topic.HEADS)) as heads:  # type: ignore[attr-defined]
        async for word in heads:
            at_ns = time.time_ns()
            heard.setdefault(parse_head(word, None).number, at_ns)


def _ways(table: Path, heard: Heard) -> tuple[list[Way], int]:
    """Return the ways of plans that were decided on a block that was heard, and of how many."""
    with closing(sqlite3.connect(f"file:{table}?mode=ro", uri=True)) as database:
        found = database.execute(
            "select handed, life from handed join lives using (client_order_id)"
            " where handed is not null"
        ).fetchall()
    ways = []
    for handed_text, life_text in found:
        handed = msgspec.json.decode(handed_text, type=Handed)
        life = msgspec.json.decode(life_text, type=Life)
        told = heard.get(decided_at(handed.plan) or -1)
        if told is None or not life.attempts:
            continue
        signed = life.attempts[0].signed_at_ns
        ways.append(Way(told, handed.plan.decided_at_ns, handed.at_ns, signed))
    prompt = [one for one in ways if one.decided - one.told <= DECIDED_NS_MAX]
    return prompt, len(found)


def rows_of(ways: Sequence[Way], count: int) -> list[Row]:
    """Return each stage, and all of them together."""
    at = np.array(ways, np.int64)
    stages = (
        ("told_to_decided", at[:, 1] - at[:, 0]),
        ("decided_to_handed_over", at[:, 2] - at[:, 1]),
        ("handed_over_to_signed", at[:, 3] - at[:, 2]),
        ("told_to_signed", at[:, 3] - at[:, 0]),
    )
    return [
        *(row(f"live_path.{name}", durations) for name, durations in stages),
        scalar("live_path.plans", "1", len(ways)),
        scalar("live_path.plans_signed", "1", count),
        scalar("live_path.load_at_end", "1", os.getloadavg()[0]),
    ]


def main() -> int:
    """Run, print and store the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=90.0)
    seconds = parser.parse_args().seconds
    heard: Heard = {}
    with tempfile.TemporaryDirectory(prefix="syn") as folder:
        asyncio.run(_measure(Path(folder), seconds, heard))
        ways, count = _ways(Path(folder) / "var" / "sender" / "nonces.sqlite3", heard)
    if not ways:
        print(f"{len(heard)} blocks, {count} transactions, none of a block that was heard")
        return 1
    rows = rows_of(ways, count)
    print(f"machine: {machine()}")
    print_table(rows)
    write_json(rows, LATEST, keeps_others=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
