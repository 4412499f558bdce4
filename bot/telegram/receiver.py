"""The door at which Telegram posts updates: loopback only, behind a proxy with TLS.

Who does not know the secret is told nothing, and nothing of what they send is read. An update is
answered once it is kept; until then Telegram holds it, and sends nothing else of the same chat.
"""

import asyncio
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from bot.telegram.wire import BadReplyError, parse_update

_log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header
BYTES_MAX: Final = 1_048_576
"""Far more than Telegram sends of one update."""

TAKE_S_MAX: Final = 5.0
"""Longest wait until an update is kept; Telegram sends it again then."""

AGAIN_S: Final = 1
"""What Telegram is asked to wait: else it doubles its waits, and a kill behind would wait too."""

_CLOSE_S: Final = 0.2
_MINUTE_S: Final = 60.0


@dataclass(slots=True, kw_only=True)
class Receiver:
    """Takes updates in, each answered only once it is settled.

    Attributes:
        is_kept: says whether an update, once it is settled, may be forgotten by Telegram.
    """

    secret: str = field(repr=False)
    port: int
    is_kept: Callable[[int], bool]
    _posted: list[tuple[dict[str, Any], asyncio.Future[bool]]] = field(
        default_factory=list, init=False
    )
    _taken: list[asyncio.Future[bool]] = field(default_factory=list, init=False)
    _changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _runner: web.AppRunner | None = field(default=None, init=False)
    _told_at_s: float = field(default=-_MINUTE_S, init=False)

    async def open(self) -> None:
        """Listen.

        Raises:
            OSError: the port cannot be had.
        """
        if self._runner is not None:
            return
        application = web.Application(client_max_size=BYTES_MAX)
        application.router.add_post("/{path:.*}", self._post)  # proxies may cut the path
        runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_S
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self.port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def close(self) -> None:
        """Listen no more; what was not kept is Telegram's to send again."""
        for _, waiting in self._posted:
            _settle(waiting, is_taken=False)
        for waiting in self._taken:
            _settle(waiting, is_taken=False)
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def wait(self) -> None:
        """Wait until something was posted, or `wake` was called."""
        await self._changed.wait()
        self._changed.clear()

    def wake(self) -> None:
        """End a wait."""
        self._changed.set()

    def take(self) -> list[dict[str, Any]]:
        """Return what was posted, in its order."""
        posted, self._posted = self._posted, []
        self._taken += [waiting for _, waiting in posted]
        return [update for update, _ in posted]

    def settle(self) -> None:
        """Have what was taken answered."""
        taken, self._taken = self._taken, []
        for waiting in taken:
            _settle(waiting, is_taken=True)

    async def _post(self, request: web.Request) -> web.Response:
        said = request.headers.get(SECRET_HEADER, "").encode("utf-8", "replace")
        if not hmac.compare_digest(said, self.secret.encode()):
            return self._refused()
        try:
            update = parse_update(await request.read())
        except (BadReplyError, web.HTTPRequestEntityTooLarge) as error:
            _log.warning("dropped what Telegram posted: %s", error)
            return web.Response()  # else it would be sent for ever, and nothing behind it
        waiting: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._posted.append((update, waiting))
        self.wake()
        is_taken = False
        try:
            async with asyncio.timeout(TAKE_S_MAX):
                is_taken = await waiting
        except TimeoutError:
            _log.warning("an update could not be kept within %g s", TAKE_S_MAX)
        if is_taken and self.is_kept(update["update_id"]):
            return web.Response()
        return web.Response(status=503, headers={"Retry-After": str(AGAIN_S)})

    def _refused(self) -> web.Response:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._told_at_s >= _MINUTE_S:
            self._told_at_s = now_s
            _log.warning("somebody without the secret posted to the webhook")
        return web.Response(status=404)


def _settle(waiting: "asyncio.Future[bool]", *, is_taken: bool) -> None:
    if not waiting.done():
        waiting.set_result(is_taken)
