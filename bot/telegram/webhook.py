"""Updates as Telegram posts them: to the front-end the same as a poller.

What waited is fetched by polling before Telegram is asked to post: by the hundred, the kills of all
of it first, while posts come one by one. The same is done whenever posts do not arrive, so that a
proxy that is broken costs time and no update. Telegram is asked now and then where it posts to:
nothing arrives while nobody writes, and somebody else may have been put in our place.
"""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from telegram import Bot, WebhookInfo
from telegram.error import BadRequest, InvalidToken, RetryAfter, TelegramError

from bot.telegram.poller import ALLOWED_UPDATES, BACK_OFF_S_MAX, BACK_OFF_S_MIN, Poller
from bot.telegram.receiver import Receiver
from bot.telegram.requests import wait_of
from engine.domain.backoff import Backoff
from engine.domain.recovery import TELEGRAM
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

SECRET_BYTES: Final = 32
CONNECTIONS: Final = 4
"""Updates of one chat come one after the other anyway."""

STUCK_LOOKS: Final = 2
"""After so many looks at which something waited, and nothing came between, it is fetched."""

POLL_S_MIN: Final = 60.0
POLL_S_MAX: Final = 900.0
"""How long it polls where posting does not work."""

ELSEWHERE: Final = "its updates are sent elsewhere"
_CLOSE_S: Final = 0.5

Result = TypeVar("Result")


@dataclass(slots=True, kw_only=True)
class Webhook:
    """Fetches what waited, then waits for posts.

    Attributes:
        poller: fetches what waited.
        url: where Telegram posts to; a proxy hands it on to `port` of loopback.
        look_s: interval of the looks at where Telegram posts to.
        is_kept: says whether an update may be forgotten by Telegram.
        spawn: runs a task as long as the front-end.
        on_success, on_conflict, on_refused: as those of the poller.
        on_trouble: called with why posting does not work, once for each reason.
    """

    bot: Bot = field(repr=False)
    poller: Poller
    url: str
    port: int
    look_s: float
    send_s: float
    is_kept: Callable[[int], bool]
    spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]
    on_success: Callable[[], None]
    on_conflict: Callable[[str], None]
    on_refused: Callable[[], Awaitable[object]]
    on_trouble: Callable[[str], None]
    _receiver: Receiver = field(init=False, repr=False)
    _secret: str = field(init=False, repr=False)
    _is_watched: bool = field(default=False, init=False)
    _is_free: bool = field(default=False, init=False)
    _is_set: bool = field(default=False, init=False)
    _is_polled: bool = field(default=True, init=False)
    _is_late: bool = field(default=False, init=False)
    _polls_until_s: float = field(default=0.0, init=False)
    _stuck_looks: int = field(default=0, init=False)
    _trouble: str = field(default="", init=False)
    _waits: Backoff = field(
        default_factory=lambda: Backoff(
            TELEGRAM, first_s=BACK_OFF_S_MIN, longest_s=BACK_OFF_S_MAX, of="telegram"
        ),
        init=False,
    )
    _polling: Backoff = field(
        default_factory=lambda: Backoff(None, first_s=POLL_S_MIN, longest_s=POLL_S_MAX), init=False
    )

    def __post_init__(self) -> None:
        # New with each process, and told to Telegram at its start: nobody has to keep it.
        self._secret = secrets.token_urlsafe(SECRET_BYTES)
        self._receiver = Receiver(secret=self._secret, port=self.port, is_kept=self.is_kept)
        self.poller.on_conflict = self._saw_conflict

    @property
    def has_more(self) -> bool:
        """See `Poller.has_more`."""
        return self._is_polled and self.poller.has_more

    @property
    def has_waited(self) -> bool:
        """See `Poller.has_waited`: what is fetched has waited, what is posted comes at once."""
        return self._is_polled or self._is_late

    async def fetch(self) -> list[dict[str, Any]]:
        """Return the next updates, oldest first, or none; waits as long as nothing happens.

        Raises:
            FatalError: Telegram refuses the token for good.
        """
        if not self._is_watched:
            self._is_watched = True
            self.spawn(self._watch())
        while True:
            if posted := self._receiver.take():
                self._is_polled, self._is_late = False, self._stuck_looks > 0
                self._stuck_looks, self._trouble = 0, ""
                self._polling.reset()
                self.on_success()
                return posted
            if not self._is_set:
                self._is_polled = True
                return await self._poll()
            await self._receiver.wait()

    def confirm(self, update_ids: Sequence[int]) -> None:
        """Let Telegram forget what was fetched last, as far as it is kept."""
        if self._is_polled:
            self.poller.confirm(update_ids)
        else:
            self._receiver.settle()

    async def close(self) -> None:
        """Listen no more, and have Telegram keep what comes until somebody asks for it."""
        await self._receiver.close()
        if not self._is_free:
            try:
                async with asyncio.timeout(_CLOSE_S):
                    await self.bot.delete_webhook(drop_pending_updates=False)
            except (TelegramError, TimeoutError) as error:
                _log.info("the webhook stays: %s", redact(str(error)))
        await self.poller.close()

    async def _poll(self) -> list[dict[str, Any]]:
        """Fetch what waits, a batch at a time; after the last have Telegram post from now on."""
        if not self._is_free:
            await self._free()
        if not self._is_free:
            return []
        left_s = self._polls_until_s - asyncio.get_running_loop().time()
        if left_s > 0:
            return await self._poll_for(left_s)
        self.poller.is_brief = True
        updates = await self.poller.fetch()
        if not updates and not self.poller.has_more and self._is_free:
            await self._set()
        return updates

    async def _poll_for(self, left_s: float) -> list[dict[str, Any]]:
        """Poll as if there were no webhook, for so long."""
        self.poller.is_brief = False
        try:
            async with asyncio.timeout(left_s):
                return await self.poller.fetch()
        except TimeoutError:
            return []  # nothing is lost: what was not confirmed comes again

    async def _free(self) -> None:
        """Have Telegram post nowhere; that it posted elsewhere is told."""
        info = await self._call(self.bot.get_webhook_info())
        if info is None:
            return
        if info.url not in {"", self.url}:
            self.on_conflict(ELSEWHERE)
        if info.url and not await self._call(self.bot.delete_webhook(drop_pending_updates=False)):
            return
        self.poller.offset = None  # one from long ago may be above the numbers of now
        self._is_free = True

    async def _set(self) -> None:
        try:
            await self._receiver.open()
        except OSError as error:
            self._give_up(f"port {self.port} cannot be had: {error.strerror}")
            return
        self._is_free = False  # from now on, whatever the answer is, if one comes
        self._is_set = bool(
            await self._call(
                self.bot.set_webhook(
                    self.url,
                    secret_token=self._secret,
                    allowed_updates=ALLOWED_UPDATES,
                    drop_pending_updates=False,
                    max_connections=CONNECTIONS,
                )
            )
        )

    async def _watch(self) -> None:
        """Ask now and then where Telegram posts to, for ever."""
        while True:
            await asyncio.sleep(self.look_s)
            if self._is_set:
                info = await self._call(self.bot.get_webhook_info())
                if info is not None and self._is_set:
                    self._look(info)

    def _look(self, info: WebhookInfo) -> None:
        if info.url != self.url:
            self._unset()
            self.on_conflict(ELSEWHERE)
            return
        self._stuck_looks = self._stuck_looks + 1 if info.pending_update_count else 0
        if self._stuck_looks < STUCK_LOOKS:
            self.on_success()
            return
        self._stuck_looks = 0
        why = info.last_error_message or "nothing arrives"
        self._unset()
        self._give_up(f"Telegram cannot post to it: {why}")

    def _unset(self) -> None:
        """Have what waits fetched."""
        self._is_set, self._is_free = False, False
        self._receiver.wake()

    def _give_up(self, why: str) -> None:
        """Poll for a while, and say why."""
        self._polls_until_s = asyncio.get_running_loop().time() + self._polling.next_s()
        if why != self._trouble:
            self._trouble = why
            _log.error("the webhook does not work, polling meanwhile: %s", redact(why))
            self.on_trouble(redact(why))

    def _saw_conflict(self, text: str) -> None:
        """Take in that somebody else has the updates that are to be fetched."""
        if "webhook" in text.lower():
            self.spawn(self._free())
        self.on_conflict(ELSEWHERE)

    async def _call(self, call: Awaitable[Result]) -> Result | None:
        """Make one call; None where it failed, after a wait."""
        wait_s: float | None = None
        try:
            async with asyncio.timeout(2 * self.send_s):
                answer = await call
        except InvalidToken:
            await self.on_refused()
        except RetryAfter as error:
            wait_s = wait_of(error)
        except BadRequest as error:
            self._give_up(f"Telegram refuses it: {error.message}")
        except (TelegramError, TimeoutError) as error:
            _log.info("the webhook is not as it should be: %s", redact(str(error)))
        else:
            self._waits.reset()
            return answer
        own_s = self._waits.next_s()
        await asyncio.sleep(own_s if wait_s is None else wait_s)
        return None
