"""Webhooks at a steady pace: ``python -m tests.bot.web.hooks.load --seconds 20 --rate 1000``.

Three processes: one posts, the gateway takes, and one stands for the role `chains`: the product's
own hints on real pairs of Ethereum, asked over its socket. Each event is a swap of one percent in
the next block. Measured are: from the whole body in the gateway to the call that has background
work make way, and from the post to its answer, for which the disk is synced.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import psutil

from bot.web.hooks.endpoints import Endpoints
from engine.bus.hooked import HooksTaken
from engine.bus.request import Request
from engine.bus.unix_socket import open_server
from engine.chains.ports import BlockRef, Log
from engine.domain.errors import FatalError
from engine.requests.hooked import TakeHooked, TellHooks
from tests.bot.web.hooks import bodies
from tests.chains.pending.test_preconfirmed import BLOCK, hinted
from tests.chains.real_blocks.node import SYNC, reserves_before

EVENTS_OF_BLOCK: Final = 2_000
POSTS_MAX: Final = 128
WARM: Final = 200
"""The first bodies are not counted."""


class ChainEnd:
    """Takes events as the role `chains` does; each further block begins with its first event."""

    def __init__(self, pending: Any) -> None:
        self.waits_ns: list[int] = []
        self._pending = pending
        self._received: dict[str, int] = {}
        self._logs: list[Log] = []
        self._number = BLOCK.number - 1
        pending._on_told = self._on_told
        pending.hooked._tip = self._tip
        pending.hooked._depth_of = lambda _hash: None

    async def answer(self, request: Request[Any], /) -> Any:
        """Answer one request."""
        if not isinstance(request, TakeHooked):
            return HooksTaken()
        taken = HooksTaken()
        for event in request.events:
            while event.block_number > self._number + 1:
                self._next()
            self._received[event.tx_hash] = event.received_at_ns
            self._logs.append(
                Log(
                    address=event.address,
                    topics=event.topics,
                    data=event.data,
                    block_number=event.block_number,
                    block_hash=event.block_hash,
                    tx_hash=event.tx_hash,
                    index=event.log_index,
                )
            )
            taken = self._pending.take_hooked([event], ())
        return taken

    def _on_told(self, tx: str) -> None:
        received = self._received.pop(tx, None)
        if received is not None:
            self.waits_ns.append(time.time_ns() - received)

    def _tip(self) -> BlockRef:
        number = self._number
        return BlockRef(
            number=number, hash=bodies.hash_of(number), parent_hash="", made_at_s=bodies.AT_S
        )

    def _next(self) -> None:
        self._number += 1
        logs = [log for log in self._logs if log.block_number == self._number]
        self._logs = [log for log in self._logs if log.block_number > self._number]
        self._pending.hooked.block(self._tip(), logs, time.time_ns())


async def be_chains(socket: Path) -> None:
    """Answer on a socket until the input ends; then say how long each trigger took."""

    def on_fatal(error: FatalError) -> None:
        raise error

    async with hinted() as one:
        end = ChainEnd(one.pending)
        async with open_server(socket, [TakeHooked, TellHooks], end, on_fatal=on_fatal):
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)
        sys.stdout.write(msgspec.json.encode(end.waits_ns).decode())


def swaps(count: int) -> Iterator[bytes]:
    """Return bodies of one event each: swaps of one percent, to and fro."""
    pairs = sorted(at for at, of in reserves_before(BLOCK.acts).items() if min(of) > 10**6)
    held = reserves_before(BLOCK.acts)
    for number in range(count):
        block, place = divmod(number, EVENTS_OF_BLOCK)
        turn, which = divmod(place, len(pairs))
        first, second = held[pairs[which]]
        if turn % 2 == 0:
            first, second = first * 101 // 100, second * 100 // 101
        told = msgspec.json.decode(
            bodies.moralis_body(
                BLOCK.number + block, first=number, chain="0x1", at_s=int(time.time())
            )
        )
        (log,) = told["logs"]
        log |= {
            "logIndex": str(place),
            "address": pairs[which],
            "topic0": SYNC if SYNC.startswith("0x") else f"0x{SYNC}",
            "data": f"0x{first:064x}{second:064x}",
        }
        yield msgspec.json.encode(told)


@dataclass
class Posted:
    """What became of posts."""

    waits_s: list[float] = field(default_factory=list)
    behind_s: float = 0.0
    others: int = 0


async def post(base: str, path: str, texts: list[bytes], rate: int) -> Posted:
    """Post at a steady pace, whatever the answers take."""
    posted, loop = Posted(), asyncio.get_running_loop()
    connector = aiohttp.TCPConnector(limit=POSTS_MAX)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as tasks:
        began_s = loop.time()

        async def one(text: bytes, headers: dict[str, str]) -> None:
            sent_s = loop.time()
            async with session.post(f"{base}/hooks/{path}", data=text, headers=headers) as answer:
                posted.others += answer.status != HTTPStatus.OK
            posted.waits_s.append(loop.time() - sent_s)

        signed = [(text, bodies.moralis_headers(text)) for text in texts]
        began_s = loop.time()
        for number, (text, headers) in enumerate(signed):
            due_s = began_s + number / rate
            if (early_s := due_s - loop.time()) > 0:
                await asyncio.sleep(early_s)
            posted.behind_s = max(posted.behind_s, -early_s)
            tasks.create_task(one(text, headers))
    return posted


async def measure(seconds: int, rate: int) -> dict[str, Any]:
    """Run all three."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        endpoint = Endpoints(directory).add("load", "moralis", "", bodies.SECRET)
        socket = directory / "chains.sock"
        chains = await _begin("tests.bot.web.hooks.load", "--chains", str(socket))
        gateway = await _begin("tests.bot.web.hooks.served", made, "--chains", str(socket))
        try:
            assert chains.stdout is not None
            assert gateway.stdout is not None
            await chains.stdout.readline()
            port = int(await gateway.stdout.readline())
            texts = list(swaps(seconds * rate))
            _say(f"{len(texts):,} bodies made; {rate:,} a second from now on")
            posted = await post(f"http://127.0.0.1:{port}", endpoint.path, texts, rate)
            await asyncio.sleep(0.5)
            cpu_us = {
                name: round(sum(psutil.Process(pid).cpu_times()[:2]) / len(texts) * 1e6)
                for name, pid in (("gateway", gateway.pid), ("chains", chains.pid))
            }
            said, _ = await chains.communicate(b"")
        finally:
            for process in (chains, gateway):
                if process.returncode is None:
                    process.kill()
                    await process.wait()
    waits_ms = [one / 1e6 for one in msgspec.json.decode(said, type=list[int])]
    answers_ms = [one * 1e3 for one in posted.waits_s]
    return {
        "seconds": seconds,
        "rate": rate,
        "posted": len(texts),
        "not_200": posted.others,
        "triggers": len(waits_ms),
        "trigger_ms": _spread(waits_ms[WARM:]),
        "answer_ms": _spread(answers_ms[WARM:]),
        "cpu_us_of_a_body_with_the_start": cpu_us,
        "behind_ms_max": round(posted.behind_s * 1e3, 1),
        "load_of_the_machine": os.getloadavg()[0],
    }


async def _begin(module: str, *given: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *given,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )


def _spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    last = len(ordered) - 1
    parts = (("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("max", 1.0))
    return {name: round(ordered[round(part * last)], 2) for name, part in parts}


def _say(text: str) -> None:
    sys.stderr.write(f"load: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--chains", type=Path)
    asked = parser.parse_args()
    if asked.chains is not None:
        asyncio.run(be_chains(asked.chains))
    else:
        figures = asyncio.run(measure(asked.seconds, asked.rate))
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(figures)).decode() + "\n")
