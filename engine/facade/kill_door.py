"""A kill by HTTP, for when there is no chat: off unless a secret is set, on loopback only.

A proxy with TLS stands before it (the operator's guide says how). `POST /kill` is signed; the GET
of a bookmark is good once. Whatever else comes is told nothing, and never delays one that is right.
"""

import contextlib
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiohttp import web
from cachetools import FIFOCache

from engine.bus.command import seal
from engine.bus.reports import KillReport
from engine.domain.errors import SyndicateError
from engine.facade.engine import Facade
from engine.requests.safety import Kill

_log = logging.getLogger(__name__)

AGE_S_MAX: Final = 60
"""A signature is good for so long before and after its time."""

NONCES_MAX: Final = 4_096
WRONG_A_MINUTE: Final = 10
"""More wrong requests than this are answered by 429, and not logged."""

BYTES_MAX: Final = 1_024
HOST: Final = "127.0.0.1"
BOOKMARK: Final = "kill-bookmark"
"""File that says how many bookmarks were used."""


def signature(secret: str, *, at_s: str, nonce: str) -> str:
    """Return what signs a kill: HMAC-SHA256 over its time and nonce, in hex."""
    text = f"POST /kill\n{at_s}\n{nonce}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True)
class Bookmarks:
    """The address that kills once; the next one counts on."""

    secret: str = field(repr=False)
    directory: Path

    @property
    def path(self) -> str:
        """Return where the bookmark of now leads."""
        return f"/kill/{self._token(self._used())}"

    def is_right(self, token: str) -> bool:
        """Say whether a token is that of now."""
        return hmac.compare_digest(token.encode(), self._token(self._used()).encode())

    def use_up(self) -> None:
        """Let the next one count; a disk that refuses is told in the log only."""
        file = self.directory / BOOKMARK
        aside = file.with_name(f".{BOOKMARK}.new")
        try:
            aside.write_text(f"{self._used() + 1}\n", encoding="ascii")
            aside.replace(file)
        except OSError as error:
            _log.warning("the bookmark is not used up: %s", error.strerror)

    def _used(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return int((self.directory / BOOKMARK).read_text(encoding="ascii"))
        return 0

    def _token(self, used: int) -> str:
        text = f"bookmark\n{used}"
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(slots=True, kw_only=True)
class KillDoor:
    """Judges requests and kills.

    Attributes:
        wall_s: seconds since 1970.
    """

    facade: Facade
    secret: str = field(repr=False)
    bookmarks: Bookmarks
    wall_s: Callable[[], float] = time.time
    _nonces: FIFOCache[str, None] = field(default_factory=lambda: FIFOCache(NONCES_MAX), init=False)
    _opened_at_s: float = field(default=0.0, init=False)
    _wrong: tuple[int, int] = field(default=(0, 0), init=False)

    def __post_init__(self) -> None:
        self._opened_at_s = self.wall_s()

    async def post(self, request: web.Request) -> web.Response:
        """Kill by a signature."""
        at_s, nonce = (
            request.headers.get("X-Kill-Time", ""),
            request.headers.get("X-Kill-Nonce", ""),
        )
        signed = request.headers.get("X-Kill-Signature", "")
        expected = signature(self.secret, at_s=at_s, nonce=nonce)
        is_right = hmac.compare_digest(signed.encode("utf-8", "replace"), expected.encode())
        if not (is_right and self._is_fresh(at_s, nonce)):
            return self._refused()
        self._nonces[nonce] = None
        return await self._kill("POST /kill", ref=f"https-{nonce}")

    async def get(self, request: web.Request) -> web.Response:
        """Kill by a bookmark, which is used up then."""
        if not self.bookmarks.is_right(request.match_info["token"]):
            return self._refused()
        self.bookmarks.use_up()
        return await self._kill("the bookmark", ref="")

    def _is_fresh(self, at_s: str, nonce: str) -> bool:
        if not (at_s.isascii() and at_s.isdecimal() and len(at_s) < len("1" * 12)):
            return False
        # What was signed before this process began may have been used with one before.
        is_in_time = self._opened_at_s <= int(at_s) + 1 and (
            abs(self.wall_s() - int(at_s)) <= AGE_S_MAX
        )
        return is_in_time and 8 <= len(nonce) <= 64 and nonce not in self._nonces  # noqa: PLR2004

    async def _kill(self, how: str, *, ref: str) -> web.Response:
        command = seal(Kill(why=f"asked by {how}"), by="https", at_ns=time.time_ns(), ref=ref)
        try:
            report = await self.facade.ask(command)
        except SyndicateError as error:
            return _answer(f"NOT CONFIRMED: {error}\n", status=503)
        if not isinstance(report, KillReport):
            return _answer(f"NOT KILLED: {report}\n", status=503)
        is_done = report.engine.is_done or report.latch_file.is_done
        paths = (report.engine, report.latch_file, report.ledger)
        names = ("engine", "latch file", "ledger")
        lines = [f"{name}: {path.text}" for name, path in zip(names, paths, strict=True)]
        title = "killed" if is_done else "KILL FAILED"
        return _answer("\n".join([title, *lines, ""]), status=200 if is_done else 503)

    def _refused(self) -> web.Response:
        minute = int(self.wall_s() // 60)
        count = self._wrong[1] + 1 if self._wrong[0] == minute else 1
        self._wrong = (minute, count)
        if count > WRONG_A_MINUTE:
            return _answer("", status=429)
        _log.warning("a request to the kill door was refused; %d in this minute", count)
        return _answer("", status=404)


def _answer(text: str, *, status: int) -> web.Response:
    return web.Response(text=text, status=status, headers={"Cache-Control": "no-store"})


@contextlib.asynccontextmanager
async def open_kill_door(
    facade: Facade, *, secret: str, port: int, directory: Path
) -> AsyncIterator[int]:
    """Listen on loopback; yields the port, 0 where it could not be had."""
    door = KillDoor(facade=facade, secret=secret, bookmarks=Bookmarks(secret, directory))
    application = web.Application(client_max_size=BYTES_MAX)
    application.router.add_post("/kill", door.post)
    application.router.add_get("/kill/{token}", door.get, allow_head=False)
    runner = web.AppRunner(application, access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        try:
            await site.start()
        except OSError as error:
            _log.error("the kill door cannot listen on port %d: %s", port, error.strerror)
            yield 0
        else:
            yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
