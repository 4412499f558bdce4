"""The demo's provider: what it posts of a node's blocks the gateway takes, and nothing forged."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web as server
from aiohttp.test_utils import TestServer
from msgspec.structs import replace

from engine.bus.hooked import HookFigures, HookLine, Level
from engine.chains.families.uniswap_v2 import SYNC
from engine.domain.dexes import Dex
from engine.domain.people import Rank
from engine.domain.pools import Protocol
from engine.sandbox.world.values import LocalChain
from engine.tools.demo_gateway import NAME, Outside
from tests.bot import chain_samples
from tests.bot.web.conftest import Web
from tests.bot.web.hooks import bodies
from tests.bot.web.hooks.conftest import Posting
from tests.bot.web.hooks.test_door import figures
from tests.patience import PATIENCE_S

V2 = Protocol.UNISWAP_V2
HEIGHTS = (1, 2, 3, 3, 4, 5, 6, 7)
"""Of the blocks that are told: the first of height 3 is undone for one in which nothing moved."""

EMPTY = 3

SIGNED = (1, 2, 3, 3, 5, 7, 8, 10)
"""Signed bodies by then: from height 4 on one is confirmed with each, but not the undone one."""


@dataclass
class Node:
    """Tells blocks as nodes do, each once what is due of those before is posted; then it ends."""

    posting: Posting
    outside: Outside

    async def serve(self, request: server.Request) -> server.WebSocketResponse:
        socket = server.WebSocketResponse()
        await socket.prepare(request)
        asked = await socket.receive_json()
        assert (asked["method"], asked["params"]) == ("eth_subscribe", ["newHeads"])
        await socket.send_json({"id": asked["id"], "jsonrpc": "2.0", "result": "0x1"})
        for place, (height, due) in enumerate(zip(HEIGHTS, SIGNED, strict=True)):
            block = {"number": hex(height), "timestamp": hex(bodies.AT_S)}
            block["hash"] = bodies.hash_of(place)
            told = {"subscription": "0x1", "result": block}
            await socket.send_json({"method": "eth_subscription", "params": told})
            await self._answer(socket, place)
            await self.posting.until(partial(self._is_posted, due))
        await socket.close()
        return socket

    async def _answer(self, socket: server.WebSocketResponse, place: int) -> None:
        asked = await socket.receive_json()
        (about,) = asked["params"]
        assert about == {
            "blockHash": bodies.hash_of(place),
            "topics": [[f"0x{SYNC.hex()}"]],
        }
        log: dict[str, Any] = {
            "logIndex": "0xb",
            "transactionHash": bodies.hash_of(place, "tx"),
            "address": bodies.ADDRESS,
            "data": "0x" + "00" * 64,
            "topics": [f"0x{SYNC.hex()}"],
        }
        await socket.send_json(
            {"id": asked["id"], "jsonrpc": "2.0", "result": [] if place == EMPTY else [log]}
        )

    def _is_posted(self, due: int) -> bool:
        return self.outside.posted["signed 200"] == due


def outside_of(web: Web, hook: str = "") -> Outside:
    return Outside(base=web.base, secret=bodies.SECRET, key=web.keys[Rank.VIEWER], hook=hook)


async def test_each_block_that_the_demo_posts_is_taken_twice_and_one_undone_is_not_confirmed(
    posting: Posting,
) -> None:
    outside = outside_of(posting.web, hook=f"/hooks/{posting.endpoint.path}")
    application = server.Application()
    application.router.add_get("/", Node(posting, outside).serve)
    async with TestServer(application) as node, aiohttp.ClientSession() as session:
        chain = LocalChain(
            chain_id=1,
            block_ms=1_000,
            http_urls=(),
            ws_urls=(str(node.make_url("/")),),
            private_url="",
            dexes=(Dex(name="V2", chain="ethereum", protocol=V2, factory=bodies.ADDRESS),),
            contracts={},
        )
        await outside.post_blocks(session, chain, seconds=PATIENCE_S)
    await posting.until(lambda: len(posting.taken) == 10)

    assert outside.posted == {"signed 200": 10, "again 200": 1, "forged 401": 1}
    assert outside.trouble == "a node ended what it told"
    counted = figures(posting)
    assert (counted.taken, counted.events) == (11, 10)
    assert (counted.duplicates, counted.forged) == (1, 1)
    by_level = {
        level: [one.block_hash for one in posting.taken if one.level is level] for level in Level
    }
    assert by_level[Level.SEEN] == [bodies.hash_of(at) for at in (0, 1, 2, 4, 5, 6, 7)]
    assert by_level[Level.CONFIRMED] == [bodies.hash_of(at) for at in (0, 1, 4)]
    assert {(one.log_index, one.topics) for one in posting.taken} == {(11, (SYNC,))}


async def test_the_demo_tells_what_its_scrapes_took_and_why_one_failed(web: Web) -> None:
    outside = outside_of(web)
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            await outside.scrape(session)
        well = outside.told([], memory_mb=61.5)
        outside.key = "syn_of_nobody"
        await outside.scrape(session)
    badly = outside.told([], memory_mb=None)

    assert (well["scrapes"], badly["scrapes"]) == (3, 3)
    assert 0 < well["scrape_ms"]["p50"] <= well["scrape_ms"]["p99"]
    assert well["scrape_bytes"] > 1_000
    assert (well["memory_mb"], well["trouble"]) == (61.5, "")
    assert "401" in badly["trouble"]
    assert outside.key not in badly["trouble"]


def test_the_demo_adds_up_what_all_chains_think_of_its_webhook_and_of_no_other() -> None:
    counted = HookFigures(
        stream=NAME, provider="moralis", taken=40, events=90, duplicates=6, forged=4
    )
    line = HookLine(stream=NAME, right=30, ahead=5, triggers=2, figures=counted)
    other = replace(line, stream="pools", wrong=9)
    chains = [replace(one, hooks=[line, other]) for one in chain_samples.chains().chains]

    told = Outside(base="").told(chains, memory_mb=None)

    names = ("taken", "events", "duplicates", "forged", "right", "wrong", "ahead", "triggers")
    assert [told[name] for name in names] == [40, 90, 6, 4, 60, 0, 10, 4]
    assert told["scrape_ms"] == {}
