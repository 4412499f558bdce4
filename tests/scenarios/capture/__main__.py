"""How much of what could be earned is: `python -m tests.scenarios.capture --minutes 30`.

All roles run on the sandbox, live on its local chains. A witness of its own reads each block's
pools and tries every cycle of two and three of them at its best size; at the end each chance is
captured by a transaction of ours, or lost to a named cost.
"""

import argparse
import asyncio
import json
import platform
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, closing
from pathlib import Path

import psutil

from engine.bus.sending import GetTold
from engine.bus.unix_socket import SocketCaller
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.domain.told import TransactionNews
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S
from tests.scenarios.capture.accounts import Account, Decided, cause_of, decided_of, table, why_of
from tests.scenarios.capture.witness import Witness
from tests.scenarios.live_rig import live_environment
from tests.scenarios.rig import running_installation
from tests.telegram.emulator import TelegramEmulator

NAMED_RATIO_MIN = 0.95


async def capture(
    folder: Path, chains: list[str], *, minutes: float, speed: int
) -> tuple[list[Account], list[Witness]]:
    """Run for some minutes; return what became of each chance, by chain."""
    data_dir = folder / "var"
    async with AsyncExitStack() as stack:
        phone = await stack.enter_async_context(TelegramEmulator().serve())
        installation = await stack.enter_async_context(
            running_installation(data_dir, phone, speed=speed, **live_environment(data_dir, chains))
        )
        await installation.until_live()
        local = read_announcement(Paths(data_dir)).local_chains
        way = await stack.enter_async_context(open_outbound(None))
        witnesses = []
        watching = await stack.enter_async_context(asyncio.TaskGroup())
        tasks = []
        for chain in chains:
            url = local[chain].http_urls[0]
            node = await stack.enter_async_context(
                open_pool([Access(name="witness", http_url=url)], way)
            )
            witness = Witness(chain, url, ChainReader(node))
            witnesses.append(witness)
            look_s = max(local[chain].block_ms / 4_000, 0.1)
            tasks.append(watching.create_task(witness.watch(look_s=look_s)))
        await installation.go_up_to("live")
        live_from_ns = time.time_ns()
        await asyncio.sleep(60 * minutes)
        for task in tasks:
            task.cancel()
        await asyncio.sleep(20)  # what is under way comes to its end
        news = await _news(data_dir)
    decisions = _decisions(data_dir)
    _say_more(decisions, news)
    accounts = []
    for witness in witnesses:
        witness.close()
        account = Account(chain=witness.chain)
        own = [one for one in decisions if one.chain == witness.chain]
        for episode in witness.seen.episodes:
            cause = cause_of(episode, own, news, live_from_ns=live_from_ns)
            account.add(cause, episode.best.net_usd)
        accounts.append(account)
    return accounts, witnesses


def _say_more(decisions: list[Decided], news: dict[str, TransactionNews]) -> None:
    """Say beside the table what was decided, and what became of what was sent, by chain."""
    chains = {one.opportunity_id: one.chain for one in decisions}
    decided = Counter((one.chain, one.outcome) for one in decisions)
    for (chain, outcome), count in sorted(decided.items()):
        print(f"{chain}: {count} decided, {outcome}", file=sys.stderr)
    ends = Counter(
        (chains.get(name, "of no decision"), one.fate, _plain(why_of(one)))
        for name, one in news.items()
    )
    for (chain, fate, why), count in sorted(ends.items()):
        print(f"{chain}: {count} {fate} {why}", file=sys.stderr)


def _plain(why: str) -> str:
    """Return a sentence without its numbers, so that those of one kind are one."""
    return re.sub(r"0x[0-9a-f]+|[0-9][0-9.,]*", "#", why)


async def _news(data_dir: Path) -> dict[str, TransactionNews]:
    """Return the newest of each plan's transaction, by its opportunity."""
    caller = SocketCaller(Paths(data_dir).socket("sender"), role="sender")
    try:
        reply = await caller.call(GetTold(after=0), timeout_s=PATIENCE_S)
    finally:
        await caller.aclose()
    return {one.news.client_order_id.removesuffix("-p-t"): one.news for one in reply.news}


def _decisions(data_dir: Path) -> list[Decided]:
    path = f"file:{data_dir}/ledger.sqlite3?mode=ro"
    with closing(sqlite3.connect(path, uri=True)) as database:
        rows = database.execute(
            "select opportunity_id, seen_at_ns, closed_at_ns, outcome, hops from opportunities"
            " where hops is not null"
        ).fetchall()
    return [one for one in map(decided_of, rows) if one is not None]


def main() -> int:
    """Run, and print what came of it: a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--chains", default="ethereum,base,polygon,arbitrum")
    parser.add_argument("--speed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="capture-") as folder:
        accounts, witnesses = asyncio.run(
            capture(Path(folder), asked.chains.split(","), minutes=asked.minutes, speed=asked.speed)
        )
    print(table(accounts))
    told = {
        one.chain: {
            "chances": one.total,
            "named_ratio": float(round(one.named_ratio, 4)),
            "causes": {cause.name.lower(): count for cause, count in one.counts.items()},
            "usd": {cause.name.lower(): round(usd, 2) for cause, usd in one.usd.items()},
            "blocks": witness.seen.blocks,
            "missed": witness.seen.missed,
            "read_anew": witness.seen.anew,
        }
        for one, witness in zip(accounts, witnesses, strict=True)
    }
    machine = f"{platform.machine()}, {psutil.cpu_count()} cores"
    print(json.dumps({"minutes": asked.minutes, "machine": machine, **told}))
    return int(any(one.named_ratio < NAMED_RATIO_MIN for one in accounts))


if __name__ == "__main__":
    sys.exit(main())
