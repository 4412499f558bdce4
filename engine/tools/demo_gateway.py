"""The demo's outside of a gateway: a provider that posts, and a Prometheus that scrapes.

Both come by its port, with a key and a webhook that the operator's commands made for the run. What
pools of the local chains did is told as by Moralis, each block twice; one body of ten comes again.
"""

import asyncio
import itertools
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import msgspec
from eth_hash.auto import keccak

from engine.bus.chain_reports import ChainLine
from engine.chains.families.family_list import families_of
from engine.domain.errors import SyndicateError, TransientError
from engine.sandbox.world.values import LocalChain
from engine.settings.passing import role_environment
from engine.settings.schema import Settings
from engine.wiring.markets import SandboxAnnouncement, read_announcement
from engine.wiring.paths import Paths

NAME: Final = "demo"
AGAIN_EACH: Final = 10
CONFIRMED_BLOCKS: Final = 3
SCRAPE_EACH_S: Final = 1.0
_COUNTED: Final = ("events", "taken", "duplicates", "forged")
_SUMMED: Final = ("right", "wrong", "ahead", "triggers")
_FAILED: Final = (aiohttp.ClientError, OSError, TimeoutError)


@dataclass(slots=True, kw_only=True)
class Outside:
    """Who posts and who scrapes.

    Attributes:
        base: address of the gateway; `hook` is the webhook's path there, as ``/hooks/…``.
        secret: signs what is posted; `key` opens the metrics.
        posted: how many, by kind and answer: ``forged 401``.
        trouble: why something is not there; empty if all is.
    """

    base: str
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    hook: str = field(default="", repr=False)
    key: str = field(default="", repr=False)
    posted: Counter[str] = field(default_factory=Counter)
    scrapes_ms: list[float] = field(default_factory=list)
    scrape_bytes: int = 0
    trouble: str = ""

    async def run(
        self, settings: Settings, paths: Paths, *, ready: asyncio.Event, seconds: float
    ) -> None:
        """Once all is ready post for so long, and scrape until cancelled; see `trouble`."""
        try:
            await self._leave(settings)  # what a run that was cut off left
            self.key, self.hook = await asyncio.gather(
                _say(settings, "keys", "add", NAME, "--rank", "viewer"),
                _say(settings, "hooks", "add", NAME, "--provider", "moralis", given=self.secret),
            )
            await ready.wait()
            await self._be_there(read_announcement(paths), seconds)
        except SyndicateError as error:
            self.trouble = str(error)
        finally:
            await self._leave(settings)

    async def _be_there(self, said: SandboxAnnouncement, seconds: float) -> None:
        if not said.local_chains:
            self.trouble = said.why_no_local_chains or "the sandbox has no local chain"
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
            for chain in said.local_chains.values():
                tasks.create_task(self.post_blocks(session, chain, seconds=seconds))
            while True:
                await self.scrape(session)
                await asyncio.sleep(SCRAPE_EACH_S)

    async def _leave(self, settings: Settings) -> None:
        both = (_say(settings, what, "remove", NAME) for what in ("keys", "hooks"))
        await asyncio.gather(*both, return_exceptions=True)

    async def post_blocks(
        self, session: aiohttp.ClientSession, chain: LocalChain, *, seconds: float
    ) -> None:
        """Post what the pools of a chain do, for so long or until its node is gone."""
        bound, turns = asyncio.timeout(seconds), itertools.cycle(range(AGAIN_EACH))
        async with asyncio.TaskGroup() as posts:
            try:
                async with bound:
                    async for body in _bodies(session, chain):
                        posts.create_task(self._deliver(session, body, is_one=next(turns) > 0))
                    self.trouble = "a node ended what it told"
            except _FAILED as error:
                if not bound.expired():
                    self.trouble = f"a node cannot be read: {type(error).__name__} {error}"

    async def scrape(self, session: aiohttp.ClientSession) -> None:
        """Read the metrics once."""
        began_s = time.perf_counter()
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            async with session.get(f"{self.base}/metrics", headers=headers) as answer:
                answer.raise_for_status()
                self.scrape_bytes = len(await answer.read())
        except _FAILED as error:
            self.trouble = f"a scrape failed: {type(error).__name__} {error}"
        else:
            self.scrapes_ms.append((time.perf_counter() - began_s) * 1e3)

    def told(self, chains: Iterable[ChainLine], *, memory_mb: float | None) -> dict[str, Any]:
        """Return the gateway's part of the demo's JSON; what chains think of it is among it."""
        lines = [line for chain in chains for line in chain.hooks if line.stream == NAME]
        counted = next((line.figures for line in lines if line.figures is not None), None)
        taken = sorted(self.scrapes_ms[1:])  # for the first its key was looked up, which is slow
        last, parts = len(taken) - 1, (("p50", 0.5), ("p99", 0.99))
        return {
            **{name: getattr(counted, name, 0) for name in _COUNTED},
            **{name: sum(getattr(line, name) for line in lines) for name in _SUMMED},
            "posted": dict(sorted(self.posted.items())),
            "scrapes": len(self.scrapes_ms),
            "scrape_first_ms": next((round(one, 2) for one in self.scrapes_ms), None),
            "scrape_ms": {name: round(taken[round(of * last)], 2) for name, of in parts if taken},
            "scrape_bytes": self.scrape_bytes,
            "memory_mb": memory_mb,
            "trouble": self.trouble,
        }

    async def _deliver(self, session: aiohttp.ClientSession, body: bytes, *, is_one: bool) -> None:
        kinds = {"signed": self.secret, "again": self.secret, "forged": "not ours"}
        for kind, secret in itertools.islice(kinds.items(), 1 if is_one else None):
            signed = {"x-signature": f"0x{keccak(body + secret.encode()).hex()}"}
            try:
                async with session.post(self.base + self.hook, data=body, headers=signed) as answer:
                    self.posted[f"{kind} {answer.status}"] += 1
            except _FAILED:
                self.posted[f"{kind} unanswered"] += 1


async def _bodies(session: aiohttp.ClientSession, chain: LocalChain) -> AsyncIterator[bytes]:
    """Yield the body of each block that moves a pool, and again once others stand on it."""
    kinds = {f"0x{one.hex()}" for of in families_of(chain.dexes).values() for one in of.topics}
    numbers, asked = itertools.count(1), dict[int, Any]()
    seen: dict[int, tuple[Any, Any]] = {}
    async with session.ws_connect(chain.ws_urls[0]) as node:
        await node.send_json(_question(0, "eth_subscribe", "newHeads"))
        async for message in node:
            said = message.json()
            if "params" in said:
                block = said["params"]["result"]
                about = {"blockHash": block["hash"], "topics": [sorted(kinds)]}
                asked[number := next(numbers)] = block
                await node.send_json(_question(number, "eth_getLogs", about))
                height = int(block["number"], 16)
                seen.pop(height, None)  # of a branch that was undone
                if (deep := seen.pop(height - CONFIRMED_BLOCKS, None)) is not None:
                    yield _body(chain.chain_id, *deep, is_confirmed=True)
            elif (of := asked.pop(said["id"], None)) is not None and said.get("result"):
                seen[int(of["number"], 16)] = (of, said["result"])
                yield _body(chain.chain_id, of, said["result"], is_confirmed=False)


def _question(number: int, method: str, of: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": [of]}


def _body(chain_id: int, block: Any, logs: Iterable[Any], *, is_confirmed: bool) -> bytes:
    """Return what Moralis posts of a block and its events, both as nodes write them."""
    told = [
        {
            "logIndex": str(int(log["logIndex"], 16)),
            **{name: log[name] for name in ("transactionHash", "address", "data")},
            **{f"topic{at}": one for at, one in itertools.zip_longest(range(4), log["topics"])},
        }
        for log in logs
    ]
    numbers = {name: str(int(block[name], 16)) for name in ("number", "timestamp")}
    body = {"confirmed": is_confirmed, "chainId": hex(chain_id), "tag": NAME, "retries": 0}
    return msgspec.json.encode(body | {"block": {"hash": block["hash"], **numbers}, "logs": told})


async def _say(settings: Settings, *words: str, given: str = "") -> str:
    """Give the gateway's command line a word; return what it prints. Raises `TransientError`."""
    pipe, own = asyncio.subprocess.PIPE, role_environment(settings, "gateway", os.environ)
    ran = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.web", *words), env=own, stdin=pipe, stdout=pipe, stderr=pipe
    )
    said, why = await ran.communicate(f"{given}\n".encode())
    if ran.returncode:
        raise TransientError(f"{' '.join(words[:2])}: {why.decode().strip()}")
    return said.decode().strip()
