"""The kill door: what is right kills, whatever else comes is told nothing and holds up nothing."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from engine.facade.kill_door import (
    WRONG_A_MINUTE,
    Bookmarks,
    open_kill_door,
    signature,
)
from engine.requests.safety import Kill
from engine.settings.schema import DoorSettings, Settings
from engine.wiring.front_end import open_door_of
from engine.wiring.paths import Paths
from tests.bot.fake_facade import FakeFacade

SECRET = "s" * 40


class Caller:
    """Somebody on the machine."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._base = f"http://127.0.0.1:{port}"

    async def post(
        self, *, at_s: int | None = None, nonce: str = "nonce-0001", secret: str = SECRET
    ) -> int:
        time_s = str(int(time.time()) if at_s is None else at_s)
        headers = {
            "X-Kill-Time": time_s,
            "X-Kill-Nonce": nonce,
            "X-Kill-Signature": signature(secret, at_s=time_s, nonce=nonce),
        }
        async with self._session.post(f"{self._base}/kill", headers=headers) as answer:
            return answer.status

    async def ask(self, method: str, path: str) -> tuple[int, str]:
        async with self._session.request(method, f"{self._base}{path}") as answer:
            return answer.status, await answer.text()


@pytest.fixture
def facade() -> FakeFacade:
    return FakeFacade()


@asynccontextmanager
async def opened(facade: FakeFacade, directory: Path) -> AsyncIterator[Caller]:
    async with (
        open_kill_door(facade, secret=SECRET, port=0, directory=directory) as port,
        aiohttp.ClientSession() as session,
    ):
        yield Caller(session, port)


async def test_what_is_signed_kills_once_and_a_replay_does_not(
    facade: FakeFacade, tmp_path: Path
) -> None:
    async with opened(facade, tmp_path) as caller:
        assert await caller.post() == 200
        assert await caller.post() == 404
        assert await caller.post(nonce="nonce-0002") == 200
    assert [effect.split()[0] for effect in facade.effects] == ["kill", "kill"]


@pytest.mark.parametrize("age_s", [-3_600, 61, 3_600])
async def test_what_is_not_of_now_or_by_another_secret_does_nothing(
    facade: FakeFacade, tmp_path: Path, age_s: int
) -> None:
    async with opened(facade, tmp_path) as caller:
        assert await caller.post(at_s=int(time.time()) - age_s) == 404
        assert await caller.post(secret="t" * 40) == 404
        assert await caller.post(nonce="short") == 404
    assert facade.count(Kill) == 0


async def test_what_was_signed_before_the_door_opened_is_not_taken_again(
    facade: FakeFacade, tmp_path: Path
) -> None:
    async with opened(facade, tmp_path) as caller:
        assert await caller.post(at_s=int(time.time()) - 30) == 404
    assert facade.count(Kill) == 0


async def test_a_bookmark_kills_once_over_restarts_and_the_next_one_after_it(
    facade: FakeFacade, tmp_path: Path
) -> None:
    bookmark = Bookmarks(SECRET, tmp_path).path
    for _ in range(2):
        async with opened(facade, tmp_path) as caller:
            status, text = await caller.ask("GET", bookmark)
            if facade.count(Kill) == 1:
                facade.is_killed = False
        assert "/kill/" not in text
    assert status == 404
    assert facade.count(Kill) == 1
    following = Bookmarks(SECRET, tmp_path).path
    assert following != bookmark
    async with opened(facade, tmp_path) as caller:
        assert (await caller.ask("HEAD", following))[0] == 405, "no preview kills"
        assert (await caller.ask("GET", following))[0] == 200
    assert facade.count(Kill) == 2


async def test_a_flood_of_wrong_ones_is_bounded_and_holds_up_no_right_one(
    facade: FakeFacade, tmp_path: Path
) -> None:
    async with opened(facade, tmp_path) as caller:
        answers = [(await caller.ask("GET", "/kill/x"))[0] for _ in range(2 * WRONG_A_MINUTE + 2)]
        assert set(answers) <= {404, 429}
        assert 429 in answers
        assert await caller.post() == 200
    assert facade.count(Kill) == 1


@pytest.mark.parametrize(
    ("secret", "is_terminal"), [(SECRET, False), (SECRET, True), (None, False)]
)
async def test_the_chat_listens_where_a_secret_is_set_and_on_loopback_only(
    facade: FakeFacade, tmp_path: Path, secret: str | None, *, is_terminal: bool
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(door=DoorSettings(kill_secret=secret, kill_port=port))
    async with open_door_of(settings, Paths(tmp_path), facade, is_terminal=is_terminal):
        listening = {
            one.laddr.ip
            for one in psutil.Process().net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port
        }
    assert listening == ({"127.0.0.1"} if secret and not is_terminal else set())
