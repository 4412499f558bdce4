"""Fetch updates by long polling, and notice when polling only looks alive.

Updates are taken as raw JSON, each parsed by itself later: one that the library cannot read must
not hold up a kill behind it.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final
from urllib.parse import quote, urlencode

from telegram.error import Conflict, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from bot.telegram.requests import make_request, wait_of
from bot.telegram.wire import BadReplyError, parse_reply
from engine.domain.backoff import Backoff
from engine.domain.recovery import TELEGRAM
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

ALLOWED_UPDATES: Final = ("message", "callback_query")
BATCH_MAX: Final = 100
ROUND_TRIPS_MISSED_MAX: Final = 3
"""After this many full waits without a successful round trip the client is built anew."""

MORE_S_MAX: Final = 1.0
"""How long what a full batch brought waits to hear of more."""

UNKEPT_S: Final = 0.5
"""Between two polls while Telegram holds what the ledger could not store: they do not wait."""

BACK_OFF_S_MIN: Final = 0.2
BACK_OFF_S_MAX: Final = 15.0
_CLOSE_S: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Poller:
    """One long poll after another.

    Attributes:
        on_success: called after every successful round trip.
        on_conflict: called on every 409, with Telegram's text.
        on_refused: called whenever the token is refused; raises once it is to be given up.
        is_kept: says whether an update may be forgotten by Telegram.
        is_brief: ask only for what waits by now; `fetch` returns nothing where nothing does.
    """

    token: str = field(repr=False)
    base_url: str
    proxy: str | None = field(default=None, repr=False)
    poll_s: int
    send_s: float
    on_success: Callable[[], None]
    on_conflict: Callable[[str], None]
    on_refused: Callable[[], Awaitable[object]]
    is_kept: Callable[[int], bool] = lambda _update_id: True
    is_brief: bool = False
    offset: int | None = field(default=None, init=False)
    has_waited: bool = field(default=True, init=False)
    """The newest updates may have waited: before them Telegram was not asked, or could not be."""

    has_more: bool = field(default=False, init=False)
    """The newest batch was full: the next is fetched without waiting for more to come."""

    _is_held: bool = field(default=False, init=False)
    _is_away: bool = field(default=True, init=False)
    _request: HTTPXRequest | None = field(default=None, init=False, repr=False)
    _succeeded_at_s: float = field(default=0.0, init=False)
    _waits: Backoff = field(
        default_factory=lambda: Backoff(
            TELEGRAM, first_s=BACK_OFF_S_MIN, longest_s=BACK_OFF_S_MAX, of="telegram"
        ),
        init=False,
    )
    _is_failing: bool = field(default=False, init=False)

    @property
    def round_trip_s_max(self) -> float:
        """Longest time that one poll may take."""
        return self.poll_s + self.send_s

    async def fetch(self) -> list[dict[str, Any]]:
        """Return the next updates, oldest first; waits until there are some.

        After a full batch it does not wait, and tries only once: there may be none.

        Raises:
            FatalError: Telegram refuses the token for good.
        """
        if self._is_held:
            await asyncio.sleep(UNKEPT_S)
        while True:
            was_away, self._is_away = self._is_away, True
            was_full = self.has_more
            try:
                updates = await self._round_trip()
            except InvalidToken:
                await self.on_refused()
                await self._back_off(None)
            except Conflict as error:
                self.on_conflict(error.message)
                await self._back_off(None)
            except RetryAfter as error:
                await self._back_off(wait_of(error))
            except (TelegramError, BadReplyError, TimeoutError) as error:
                await self._failed(error)
            else:
                self._succeeded()
                self.has_waited = was_away
                self._is_away = self.has_more = len(updates) == BATCH_MAX
                if updates or was_full or self.is_brief:
                    return updates
            if was_full:  # what was fetched before waits for this
                self.has_more = False
                return []

    def confirm(self, update_ids: Sequence[int]) -> None:
        """Advance past what was fetched last, as far as it is kept.

        Telegram learns of it with the next poll. What the ledger could not store is fetched again
        until it is finished: a chat that is killed before leaves it with Telegram. A full batch is
        let go of: a kill may be behind it. Ids are not compared: after a quiet week Telegram
        starts counting elsewhere.
        """
        kept = update_ids if self.has_more else [*takewhile(self.is_kept, update_ids)]
        self._is_held = len(kept) < len(update_ids)
        if kept:
            self.offset = kept[-1] + 1

    async def close(self) -> None:
        """Close the connections."""
        request, self._request = self._request, None
        if request is not None:
            try:
                async with asyncio.timeout(_CLOSE_S):
                    await request.shutdown()
            except TimeoutError:
                _log.warning("an HTTP client did not close within %g s; left alone", _CLOSE_S)

    async def _round_trip(self) -> list[dict[str, Any]]:
        if self._request is None:
            self._request = make_request(
                read_s=self.round_trip_s_max, proxy=self.proxy, connections=1
            )
            self._succeeded_at_s = asyncio.get_running_loop().time()
        parameters: dict[str, Any] = {
            "timeout": 0 if self.has_more or self.is_brief else self.poll_s,
            "limit": BATCH_MAX,
            "allowed_updates": json.dumps(ALLOWED_UPDATES),
        }
        if self.offset is not None:
            parameters["offset"] = self.offset
        url = f"{self.base_url}{quote(self.token, safe=':')}/getUpdates?{urlencode(parameters)}"
        # The client has a read timeout of its own; this one holds even if the client wedges.
        async with asyncio.timeout(MORE_S_MAX if self.has_more else 2 * self.round_trip_s_max):
            return parse_reply(await self._request.retrieve(url))

    def _succeeded(self) -> None:
        self._succeeded_at_s = asyncio.get_running_loop().time()
        self._waits.reset()
        if self._is_failing:
            _log.warning("Telegram answers again")
            self._is_failing = False
        self.on_success()

    async def _failed(self, error: Exception) -> None:
        if not self._is_failing:
            self._is_failing = True
            _log.warning("Telegram cannot be reached, trying on: %s", redact(str(error)))
        silent_s = asyncio.get_running_loop().time() - self._succeeded_at_s
        if silent_s > ROUND_TRIPS_MISSED_MAX * self.round_trip_s_max:
            _log.warning("no answer to getUpdates for %.0f s: building a new client", silent_s)
            await self.close()
        await self._back_off(None)

    async def _back_off(self, wanted_s: float | None) -> None:
        if self.has_more:
            return
        own_s = self._waits.next_s()
        await asyncio.sleep(own_s if wanted_s is None else wanted_s)
