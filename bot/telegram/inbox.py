"""The durable inbox: what the operator sent is stored before Telegram may forget it."""

import asyncio
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from cachetools import FIFOCache

from engine.bus.request import Reply, Request
from engine.domain.errors import SyndicateError
from engine.domain.redaction import redact
from engine.facade.engine import Facade
from engine.requests.chat import DoneInbox, PutInbox, TakeInbox

_log = logging.getLogger(__name__)

SOURCE: Final = "telegram"

CODE_NOT_KEPT: Final = "not-kept"
"""Stands in the place of a one-time code; the grammar takes it for one, and it is never right."""

_WRITTEN: Final = ("text", "caption")
_CODE: Final = re.compile(r"(?<![\w.-])[0-9]{3}[ -]?[0-9]{3}(?![\w.-]*\w)")

STORE_S_MAX: Final = 2.0
"""Longest wait for the ledger while a kill may be waiting in the next batch."""

STORE_S_MAX_AWAY: Final = 0.5
"""The same, once the ledger has failed to answer."""

TAKE_S_MAX: Final = 10.0
RETRY_S: Final = 0.5
RECENT_MAX: Final = 4096
"""Update ids that are remembered against repeated delivery."""

DONE_AT_ONCE: Final = 200
"""Update ids that are reported together."""

DONE_WAITING_MAX: Final = 10_000
"""Update ids whose end the ledger still has to learn; the oldest gives way: it is run again."""


@dataclass(slots=True)
class Inbox:
    """Stores updates, takes back those a former process left, and marks them done.

    Attributes:
        source: names to the ledger whose updates these are; each bot numbers its own.
    """

    facade: Facade
    source: str = SOURCE
    is_away: bool = field(default=False, init=False)
    dropped_count: int = field(default=0, init=False)
    _recent: FIFOCache[int, None] = field(default_factory=lambda: FIFOCache(RECENT_MAX), init=False)
    _unkept: FIFOCache[int, None] = field(default_factory=lambda: FIFOCache(RECENT_MAX), init=False)
    _done_waiting: dict[int, None] = field(default_factory=dict, init=False)
    _done_changed: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def is_new(self, update_id: int) -> bool:
        """Remember an update; say whether this process sees it for the first time."""
        if update_id in self._recent:
            return False
        self._recent[update_id] = None
        return True

    def forget(self, update_id: int) -> None:
        """Let an update be taken again."""
        self._recent.pop(update_id, None)

    async def store(self, updates: Iterable[dict[str, Any]]) -> set[int] | None:
        """Store updates durably; returns the ids that were not stored before.

        Returns None when the ledger is away: nothing is known to be stored then.
        """
        items = [
            (update["update_id"], json.dumps(kept_form(update), separators=(",", ":")).encode())
            for update in updates
        ]
        limit_s = STORE_S_MAX_AWAY if self.is_away else STORE_S_MAX
        report = await self._ask(PutInbox(source=self.source, updates=items), limit_s=limit_s)
        if report is None:
            self._unkept.update(dict.fromkeys(number for number, _ in items))
            return None
        return set(report.new_ids)

    def is_kept(self, update_id: int) -> bool:
        """Say whether Telegram may forget an update: it is stored, done, or not for anybody."""
        return update_id not in self._unkept

    async def take(self) -> list[dict[str, Any]]:
        """Return what a former process accepted and did not finish; waits for the ledger."""
        while True:
            report = await self._ask(TakeInbox(source=self.source), limit_s=TAKE_S_MAX)
            if report is not None:
                return [json.loads(raw) for _, raw in report.updates]
            await asyncio.sleep(RETRY_S)

    def done(self, update_id: int) -> None:
        """Note that an update is finished; the ledger learns of it soon."""
        self._unkept.pop(update_id, None)
        self._done_waiting[update_id] = None
        if len(self._done_waiting) > DONE_WAITING_MAX:
            self._done_waiting.pop(next(iter(self._done_waiting)))
            self.dropped_count += 1
        self._done_changed.set()

    async def report_done(self) -> None:
        """Tell the ledger what is finished, for ever."""
        while True:
            await self._done_changed.wait()
            self._done_changed.clear()
            while self._done_waiting:
                if not await self._report_some():
                    await asyncio.sleep(RETRY_S)

    async def flush(self, *, deadline_s: float) -> None:
        """Tell the ledger what is finished, as far as the time allows."""
        try:
            async with asyncio.timeout(deadline_s):
                while self._done_waiting and await self._report_some():
                    pass
        except TimeoutError:
            _log.warning("%d updates end unreported", len(self._done_waiting))

    async def _report_some(self) -> bool:
        update_ids = [*islice(self._done_waiting, DONE_AT_ONCE)]
        command = DoneInbox(source=self.source, update_ids=update_ids)
        if await self._ask(command, limit_s=TAKE_S_MAX) is None:
            return False
        for update_id in update_ids:
            self._done_waiting.pop(update_id, None)
        return True

    async def _ask(self, request: Request[Reply], *, limit_s: float) -> Reply | None:
        try:
            async with asyncio.timeout(limit_s):
                report = await self.facade.ask(request)
        except (SyndicateError, TimeoutError) as error:
            if not self.is_away:
                _log.warning("the ledger is away: %s", str(error) or f"no answer in {limit_s:g} s")
            self.is_away = True
            return None
        if self.is_away:
            _log.warning("the ledger is back")
        self.is_away = False
        return report


def kept_form(value: Any) -> Any:
    """Return an update as it may lie on a disk: without secrets, and without one-time codes.

    What a former process left needs a new code then: the one in it is of no use to anybody.
    """
    if isinstance(value, dict):
        return {
            key: _CODE.sub(CODE_NOT_KEPT, redact(item))
            if key in _WRITTEN and isinstance(item, str)
            else kept_form(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [kept_form(item) for item in value]
    return value
