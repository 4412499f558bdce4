"""What is acknowledged is on disk, what is forged is not read, what is large is not held."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import aiohttp
import pytest

from bot.web.hooks import door as door_module
from bot.web.hooks.forwarding import Forwarding
from bot.web.hooks.keeping import Keeping
from bot.web.hooks.provider import BODY_BYTES_MAX
from bot.web.hooks.store import DiskError, HookStore
from engine.bus.hooked import HookFigures, Level
from tests.bot.web.hooks import bodies
from tests.bot.web.hooks.conftest import Posting
from tests.patience import PATIENCE_S

CUT_OFF = (aiohttp.ClientError, ConnectionError)
"""What a client may see that is cut off while it still sends, in place of why."""

OK, UNAUTHORIZED = HTTPStatus.OK, HTTPStatus.UNAUTHORIZED


def figures(posting: Posting, stream: str = "eth") -> HookFigures:
    return next(one for one in posting.web.gateway.hooks.figures() if one.stream == stream)


async def test_an_event_is_handed_on_once_whatever_comes_how_often(posting: Posting) -> None:
    seen, confirmed = bodies.moralis_body(), bodies.moralis_body(confirmed=True)
    for body in (seen, seen, confirmed, seen, confirmed):
        assert await posting.post(body) == OK
    await posting.until(lambda: len(posting.taken) == 2)

    assert [one.level for one in posting.taken] == [Level.SEEN, Level.CONFIRMED]
    assert {one.chain for one in posting.taken} == {"ethereum"}
    counted = figures(posting)
    assert (counted.taken, counted.events, counted.duplicates) == (5, 2, 3)


async def test_nothing_of_a_body_is_read_that_no_secret_has_signed(posting: Posting) -> None:
    body = bodies.moralis_body()
    for headers in (
        {},
        {"x-signature": "0x" + "0" * 64},
        bodies.moralis_headers(body, "another secret"),
        bodies.moralis_headers(body + b" "),
        bodies.alchemy_headers(body),
    ):
        assert await posting.post(body, headers) == UNAUTHORIZED
    again = json.dumps(json.loads(body)).encode()
    assert await posting.post(again, bodies.moralis_headers(body)) == UNAUTHORIZED
    assert await posting.post(b"{", {}) == UNAUTHORIZED
    assert await posting.post(body, path="no-such-path") == HTTPStatus.NOT_FOUND

    assert figures(posting).forged == 7
    assert figures(posting).taken == 0
    assert posting.taken == []


async def test_a_test_body_is_answered_and_tells_nothing(posting: Posting) -> None:
    assert await posting.post(bodies.MORALIS_TEST) == OK
    assert (figures(posting).tests, figures(posting).events) == (1, 0)


async def test_what_is_signed_and_unreadable_is_said_to_be_so(posting: Posting) -> None:
    for body in (b"[" * 100_000, b"{}", bodies.moralis_body(at_s=bodies.AT_S + 90_000)):
        assert await posting.post(body) == HTTPStatus.UNPROCESSABLE_ENTITY
    assert figures(posting).unreadable == 3


async def test_a_body_from_years_ago_is_acknowledged_and_not_taken_again(posting: Posting) -> None:
    body = bodies.moralis_body()
    assert await posting.post(body) == OK
    posting.web.clock.advance(3 * 365 * 86_400)
    assert await posting.post(body) == OK
    assert (figures(posting).old, figures(posting).events) == (1, 1)


async def test_an_old_secret_signs_until_its_time(posting: Posting) -> None:
    now_s = posting.web.clock.now_ns // 10**9
    posting.endpoints.rotate("eth", "a-newer-secret", now_s=now_s, old_h=1)
    first, second = bodies.moralis_body(1), bodies.moralis_body(2)

    assert await posting.post(first, bodies.moralis_headers(first, "a-newer-secret")) == OK
    assert await posting.post(second) == OK
    assert figures(posting).old_secrets == 1
    posting.web.clock.advance(3_600)
    assert await posting.post(bodies.moralis_body(3)) == UNAUTHORIZED


async def test_each_provider_has_its_endpoint_and_signs_for_no_other(posting: Posting) -> None:
    alchemy = posting.endpoints.add("a", "alchemy", "base", bodies.SECRET)
    quicknode = posting.endpoints.add("q", "quicknode", "base", bodies.SECRET)
    body = bodies.alchemy_body(101)
    assert await posting.post(body, bodies.alchemy_headers(body), endpoint=alchemy) == OK
    body = bodies.quicknode_body(102, 103)
    raw, headers = bodies.zipped(body)
    signed = headers | bodies.quicknode_headers(body)
    assert await posting.post(raw, signed, endpoint=quicknode) == OK
    await posting.until(lambda: len(posting.taken) == 3 and bool(posting.spans))

    assert [one.stream for one in posting.taken] == ["a", "q", "q"]
    assert {one.chain for one in posting.taken} == {"base"}
    assert posting.spans == [("q", 102, 103)]
    assert await posting.post(raw, signed, endpoint=alchemy) == UNAUTHORIZED
    other = bodies.alchemy_body(104, network="ETH_MAINNET")
    status = await posting.post(other, bodies.alchemy_headers(other), endpoint=alchemy)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_events_of_chains_that_nobody_follows_are_counted_and_let_go(
    posting: Posting,
) -> None:
    posting.not_followed = frozenset({"ethereum"})
    assert await posting.post(bodies.moralis_body(chain="0x1")) == OK
    assert await posting.post(bodies.moralis_body(chain="0x7a69")) == OK
    await posting.until(lambda: figures(posting).elsewhere == 2)
    assert posting.taken == []


async def test_a_body_that_is_too_large_is_cut_off_while_it_comes(posting: Posting) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_048_576
            yield b"x" * 1_048_576

    with contextlib.suppress(*CUT_OFF):
        assert await posting.post(endless(), {}) == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert BODY_BYTES_MAX <= sent < 3 * BODY_BYTES_MAX
    said = {"Content-Length": str(BODY_BYTES_MAX + 1)}
    with contextlib.suppress(*CUT_OFF):
        status = await posting.post(io.BytesIO(b"x" * 9), said)
        assert status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


async def test_more_bodies_than_there_is_memory_for_are_to_come_again(
    posting: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "HELD_BYTES_MAX", 100)
    assert await posting.post(bodies.moralis_body()) == HTTPStatus.SERVICE_UNAVAILABLE
    assert posting.web.headers["Retry-After"] == "5"
    monkeypatch.undo()
    assert await posting.post(bodies.moralis_body()) == OK
    assert figures(posting).refused == 1


async def test_what_the_disk_does_not_take_is_not_acknowledged(
    posting: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> list[list[bool]]:
        raise DiskError("database or disk is full")

    monkeypatch.setattr(HookStore, "keep", full)
    body = bodies.moralis_body()
    assert await posting.post(body) == HTTPStatus.SERVICE_UNAVAILABLE
    assert figures(posting).refused == 1
    assert "full" in posting.web.gateway.hooks.trouble
    monkeypatch.undo()
    assert await posting.post(body) == OK
    assert posting.web.gateway.hooks.trouble == ""
    assert figures(posting).events == 1


async def test_what_was_acknowledged_while_its_role_was_away_is_handed_over_later(
    posting: Posting, tmp_path: Path
) -> None:
    posting.is_away = True
    for block in range(3):
        assert await posting.post(bodies.moralis_body(block)) == OK
    # another process, as after kill -9 of the first one
    await posting.web.gateway.hooks.close()
    clock = posting.web.clock
    keeping = Keeping(HookStore(tmp_path), clock=clock, keep_s=86_400)
    again = Forwarding(posting.ask, keeping, list, clock=clock, again_s=0.001)
    tasks = [asyncio.create_task(one.run()) for one in (keeping, again)]
    clock.advance(60)
    posting.is_away = False
    await posting.until(lambda: len(posting.taken) >= 3)

    assert {one.block_number for one in posting.taken} == {0, 1, 2}
    async with asyncio.timeout(PATIENCE_S):
        while await keeping.waiting_count():
            await asyncio.sleep(0.001)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_sends_slowly_holds_up_nobody(
    posting: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "BODY_S_MAX", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    hanging = asyncio.create_task(posting.post(slow(), {}))
    assert await hanging == HTTPStatus.REQUEST_TIMEOUT
    monkeypatch.undo()
    assert await posting.post(bodies.moralis_body()) == OK
