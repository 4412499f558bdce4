"""The role `chains` in this process, on a local world that is announced as a sandbox's."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from engine.bus.notices import Notice
from engine.bus.records import Append, NoticeRecord
from engine.bus.request import Reply, Request
from engine.chains.safety.verdict_store import VerdictStore
from engine.connectors.block_stream import BlockStream
from engine.domain.token_safety import Standing, Verdict
from engine.operate.clock import make_clock
from engine.settings.schema import ChainsSettings, Settings
from engine.wiring.chain_answers import ChainAnswers
from engine.wiring.chain_nodes import chains_of
from engine.wiring.chains_role import open_chains
from engine.wiring.paths import Paths, prepare
from tests.chains.local_world import LocalWorld
from tests.connectors.test_block_stream import Told
from tests.patience import PATIENCE_S

SETTINGS = Settings(chains=ChainsSettings(pool_usd_min=0))
BLOCK_MS = 300


def local_chain(world: LocalWorld) -> dict[str, Any]:
    return {
        "chain_id": world.world.chain_id,
        "block_ms": BLOCK_MS,
        "http_urls": [world.world.http_url],
        "ws_urls": [world.world.ws_url],
        "private_url": "",
        "dexes": world.made.dexes,
        "contracts": {},
    }


def announced(data_dir: Path, world: LocalWorld) -> Paths:
    """Paths of an installation whose sandbox says that this world is there, and nothing else."""
    paths = prepare(str(data_dir))
    said = {
        "websocket_urls": {},
        "rest_urls": {},
        "pairs": {},
        "market_note": "a test",
        "pools": [],
        "local_chains": {world.world.chain: local_chain(world)},
    }
    paths.sandbox_announce.write_bytes(msgspec.json.encode(said))
    safe = [safe_token(world.world.chain, one.address) for one in world.made.tokens]
    VerdictStore(paths.chains, world.world.chain).save(safe)
    return paths


def safe_token(chain: str, address: str) -> Verdict:
    """What a former process found of a token, so that no test waits for a probe of it."""
    return Verdict(
        chain=chain,
        token=address,
        symbol="?",
        standing=Standing.SAFE,
        block_number=1,
        block_hash="",
        judged_at_s=int(time.time()) - 1,
        until_s=int(time.time()) + 86_400,
    )


class KeptNotices:
    """In the ledger's place."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        assert isinstance(request, Append)
        self.notices += [one.notice for one in request.records if isinstance(one, NoticeRecord)]
        return None  # type: ignore[return-value]


@asynccontextmanager
async def chains_role(
    paths: Paths, settings: Settings = SETTINGS
) -> AsyncIterator[tuple[ChainAnswers, KeptNotices]]:
    kept = KeptNotices()
    async with open_chains(settings, paths, kept, clock=make_clock()) as answers:
        yield answers, kept


@asynccontextmanager
async def engine_side(paths: Paths, chain: str = "ethereum") -> AsyncIterator[Told]:
    """Hear a chain as the engine does."""
    source = chains_of(SETTINGS, paths)[chain]
    told = Told()
    stream = BlockStream(
        source.url, told, proxy=None, jitter=lambda: 0.0, socket_path=source.socket_path
    )
    task = asyncio.create_task(stream.run())
    try:
        yield told
    finally:
        task.cancel()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.01)
