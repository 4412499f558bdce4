"""Bodies by the thousand, half of them forged, changed or replayed, while the gateway is killed.

``python -m tests.bot.web.hooks.campaign --bodies 1000000 --kills 1000 --seed 1``. A body counts as
acknowledged by its 200 alone; one whose answer was lost comes again, as providers do it. At the end
every event of an acknowledged body has to be on disk and to have been handed over; nothing else may
be on disk than what was signed.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp

from bot.web.hooks.door import _event
from bot.web.hooks.endpoints import Endpoint, Endpoints
from bot.web.hooks.provider import Sent, TooLargeError, UnreadableError
from bot.web.hooks.provider_list import PROVIDERS
from bot.web.hooks.store import FILE, Key, row_of
from engine.domain.chains import CHAINS
from tests.bot.web.hooks import bodies
from tests.bot.web.hooks.served import HANDED

POSTERS: Final = 16
REPLAYED_FROM: Final = 2_000
END_S: Final = 120.0
"""So long what waits is handed over at the end."""

_NAMES: Final = {facts.chain_id: name for name, facts in CHAINS.items()}


@dataclass(frozen=True, slots=True)
class Body:
    """A body on its way, and whether any of it may be taken."""

    kind: str
    endpoint: Endpoint
    raw: bytes
    headers: dict[str, str]
    rows: frozenset[Key] = frozenset()


@dataclass
class Tally:
    """What was posted and what came of it."""

    posted: Counter[str] = field(default_factory=Counter)
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)
    unanswered: int = 0
    kills: int = 0
    acknowledged: set[Key] = field(default_factory=set)
    signed: set[Key] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    stored: int = 0
    handed: int = 0


class Maker:
    """Makes bodies of three providers; the same ones for the same seed."""

    def __init__(self, endpoints: Endpoints, seed: int) -> None:
        self._chance = random.Random(seed)
        self._endpoints = [
            endpoints.add("m", "moralis", "", bodies.SECRET),
            endpoints.add("a", "alchemy", "base", bodies.SECRET),
            endpoints.add("q", "quicknode", "base", bodies.SECRET),
        ]
        self._sent: deque[Body] = deque(maxlen=REPLAYED_FROM)
        self._block = 10
        self._now_s = int(time.time())

    def next(self) -> Body:
        """Return a body: one of two is as it should be."""
        chance = self._chance
        kind = chance.choice(("fresh", "fresh", "fresh", "forged", "changed", "replayed"))
        if kind == "replayed" and self._sent:
            before = chance.choice(self._sent)
            return Body("replayed", before.endpoint, before.raw, before.headers, before.rows)
        body = self._fresh()
        if kind == "forged":
            return self._forged(body)
        if kind == "changed":
            return self._changed(body)
        self._sent.append(body)
        return body

    def _fresh(self) -> Body:
        chance, self._block = self._chance, self._block + 1
        endpoint = chance.choice(self._endpoints)
        raw, headers = self._signed(endpoint, bodies.SECRET)
        provider = PROVIDERS[endpoint.provider]
        sent = Sent(headers=headers, raw=raw)
        said = provider.read(sent, provider.text(sent))
        chain = endpoint.chain or _NAMES[said.chain_id or 1]
        rows = frozenset(row_of(_event(endpoint, chain, log, 0)) for log in said.logs)
        return Body("fresh", endpoint, raw, headers, rows)

    def _signed(self, endpoint: Endpoint, secret: str) -> tuple[bytes, dict[str, str]]:
        chance = self._chance
        # some blocks are told twice, as included and as confirmed, and in either order
        block, count = self._block - chance.randrange(3), chance.choice((1, 1, 2, 5))
        if endpoint.provider == "moralis":
            is_confirmed = chance.random() < 0.5
            raw = bodies.moralis_body(block, logs=count, confirmed=is_confirmed, at_s=self._now_s)
            return raw, bodies.moralis_headers(raw, secret)
        if endpoint.provider == "alchemy":
            raw = bodies.alchemy_body(block, logs=count, at_s=self._now_s)
            return raw, bodies.alchemy_headers(raw, secret)
        text = bodies.quicknode_body(block, block, logs=count)
        headers = bodies.quicknode_headers(text, secret, at_s=str(self._now_s))
        if chance.random() < 0.5:
            return text, headers
        raw, said = bodies.zipped(text)
        return raw, headers | said

    def _forged(self, body: Body) -> Body:
        chance = self._chance
        how = chance.randrange(3)
        if how == 0:
            raw, headers = self._signed(body.endpoint, bodies.SECRET + "x")
        elif how == 1:
            raw, headers = body.raw, {k: v for k, v in body.headers.items() if k[:2] != "X-"}
            headers.pop("x-signature", None)
        else:
            raw = body.raw
            headers = {k: v.translate(_OTHER_HEX) for k, v in body.headers.items()}
            headers.update({k: body.headers[k] for k in headers if k == "Content-Encoding"})
        return Body("forged", body.endpoint, raw, headers)

    def _changed(self, body: Body) -> Body:
        chance = self._chance
        raw = bytearray(body.raw)
        how = chance.randrange(4)
        at = chance.randrange(len(raw))
        if how == 0:
            raw[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            del raw[at]
        elif how == 2:
            raw.insert(at, chance.randrange(256))
        else:
            other = chance.choice([one for one in self._endpoints if one != body.endpoint])
            return Body("changed", other, body.raw, body.headers)
        # what says how a body is compressed may change, and not the text, which is what is signed
        is_same = _text(body.endpoint, body.headers, bytes(raw)) == _text(
            body.endpoint, body.headers, body.raw
        )
        rows = body.rows if is_same else frozenset[Key]()
        return Body("changed", body.endpoint, bytes(raw), body.headers, rows)


def _text(endpoint: Endpoint, headers: dict[str, str], raw: bytes) -> bytes | None:
    try:
        return PROVIDERS[endpoint.provider].text(Sent(headers=headers, raw=raw))
    except (UnreadableError, TooLargeError):
        return None


def _with_seen(rows: set[Key]) -> set[Key]:
    """Return events with what is known by them: one that is confirmed was seen."""
    return rows | {(key, 0) for key, level in rows if level == 1}


_OTHER_HEX: Final = str.maketrans("0123456789abcdef", "123456789abcdef0")


class Campaign:
    """Posts, kills, and looks at what is left."""

    def __init__(self, directory: Path, *, count: int, kills: int, seed: int) -> None:
        self.tally = Tally()
        self._directory, self._count, self._kills = directory, count, kills
        self._maker = Maker(Endpoints(directory), seed)
        self._chance = random.Random(seed + 1)
        self._process: asyncio.subprocess.Process | None = None
        self._base = ""
        self._again: deque[Body] = deque()
        self._made = 0
        self._is_up = asyncio.Event()

    async def run(self) -> Tally:
        """Do all of it."""
        await self._start()
        try:
            async with (
                aiohttp.ClientSession(auto_decompress=False) as self._session,
                asyncio.TaskGroup() as tasks,
            ):
                tasks.create_task(self._kill())
                for _ in range(POSTERS):
                    tasks.create_task(self._post_all())
            await self._wait_for_all()
        finally:
            await self._end()
        self._look()
        return self.tally

    async def _start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bot.web.hooks.served",
            str(self._directory),
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdout is not None
        port = int(await self._process.stdout.readline())
        self._base = f"http://127.0.0.1:{port}"
        self._is_up.set()

    async def _end(self) -> None:
        assert self._process is not None
        self._is_up.clear()
        self._process.kill()
        await self._process.wait()

    async def _kill(self) -> None:
        """Kill at moments spread over all bodies, each at a random instant of its while."""
        for number in range(self._kills):
            due = (number + self._chance.random()) * self._count / self._kills
            while self._made < min(due, self._count - 1):
                await asyncio.sleep(0.001)
            await asyncio.sleep(self._chance.random() * 0.02)
            await self._end()
            self.tally.kills += 1
            await self._start()
            if self.tally.kills % 10 == 0:
                _say(f"{self.tally.kills} kills, {self._made:,} bodies")

    async def _post_all(self) -> None:
        while self._again or self._made < self._count:
            if self._again:
                body = self._again.popleft()
            else:
                body = self._maker.next()
                self._made += 1
                self.tally.posted[body.kind] += 1
                self.tally.signed |= body.rows
                if self._made % 20_000 == 0:
                    _say(f"{self._made:,} bodies, {len(self.tally.acknowledged):,} acknowledged")
            await self._post(body)

    async def _post(self, body: Body) -> None:
        await self._is_up.wait()
        try:
            async with self._session.post(
                f"{self._base}/hooks/{body.endpoint.path}", data=body.raw, headers=body.headers
            ) as answer:
                status = answer.status
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            self.tally.unanswered += 1
            self._again.append(body)
            await asyncio.sleep(0.001)
            return
        self.tally.answered[body.kind, status] += 1
        if status == HTTPStatus.OK:
            self.tally.acknowledged |= body.rows
            if not body.rows:
                self.tally.failures.append(f"a body that was {body.kind} is answered 200")
        elif status == HTTPStatus.SERVICE_UNAVAILABLE:
            self._again.append(body)
        elif body.rows:
            self.tally.failures.append(f"a {body.kind} body is answered {status}")

    async def _wait_for_all(self) -> None:
        """Wait until all that waits was handed over, as far as that comes."""
        until_s = time.monotonic() + END_S
        while time.monotonic() < until_s:
            if self.tally.acknowledged <= _with_seen(self._handed()):
                return
            await asyncio.sleep(0.2)

    def _handed(self) -> set[Key]:
        lines = (self._directory / HANDED).read_bytes().split(b"\n")[:-1]
        return {(bytes.fromhex(line[:32].decode()), int(line[33:])) for line in lines if line}

    def _look(self) -> None:
        tally = self.tally
        with sqlite3.connect(self._directory / FILE) as file:
            (found,) = file.execute("PRAGMA integrity_check").fetchone()
            rows = [tuple(row) for row in file.execute("SELECT key, level FROM event")]
        if found != "ok":
            tally.failures.append(f"the file is damaged: {found}")
        stored, handed = set(rows), self._handed()
        tally.stored, tally.handed = len(stored), len(handed)
        if len(stored) != len(rows):
            tally.failures.append(f"{len(rows) - len(stored)} events are stored twice")
        for what, lost in (
            ("acknowledged and not on disk", tally.acknowledged - _with_seen(stored)),
            ("on disk and never signed", stored - tally.signed),
            ("stored and never handed over", stored - handed),
            ("handed over and never signed", handed - tally.signed),
        ):
            if lost:
                tally.failures.append(f"{len(lost)} events are {what}")


def _say(text: str) -> None:
    sys.stderr.write(f"gateway-campaign: {text}\n")
    sys.stderr.flush()


def main() -> int:
    """Run it by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        campaign = Campaign(Path(directory), count=given.bodies, kills=given.kills, seed=given.seed)
        tally = asyncio.run(campaign.run())
    answered = ", ".join(f"{k} {s}: {n:,}" for (k, s), n in sorted(tally.answered.items()))
    sys.stdout.write(
        f"{given.bodies:,} bodies ({dict(tally.posted)}), {tally.kills} kills,"
        f" {time.monotonic() - began_s:.0f} s\nanswers: {answered}; {tally.unanswered:,} without\n"
        f"{len(tally.acknowledged):,} events acknowledged, {tally.stored:,} stored,"
        f" {tally.handed:,} handed over\n"
        f"failures: {len(tally.failures)}\n"
    )
    for failure in tally.failures[:20]:
        sys.stdout.write(f"  {failure}\n")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    sys.exit(main())
