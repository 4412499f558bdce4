"""The supervisor's look at the files of settings: what changed there goes to the engine, whole.

A file counts once it has stood still for one look, so that none is read half written. The engine
says what becomes of it; what it took holds for each engine that starts from then on.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from engine.bus.command import seal
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import Caller
from engine.domain.errors import SettingsError, TransientError
from engine.requests.settings import OfferSettings
from engine.settings.load import load_settings, settings_files
from engine.settings.running import changed_at_start, running_settings, running_values
from engine.settings.schema import Settings

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
BY: Final = "file"
"""Who asked, as the records show it."""

Marks = tuple[tuple[str, int, int, int], ...]


@dataclass(slots=True)
class Adopted:
    """What of the files the engine took since the start."""

    values: dict[str, Decimal] = field(default_factory=dict)

    def over(self, settings: Settings) -> Settings:
        """Return settings with it."""
        for section, name, _ in running_settings():
            if name in self.values:
                own = getattr(settings, section)
                kind = type(getattr(own, name))
                own = msgspec.structs.replace(own, **{name: kind(self.values[name])})
                settings = msgspec.structs.replace(settings, **{section: own})
        return settings


@dataclass(slots=True, kw_only=True)
class SettingsWatch:
    """Looks at the files.

    Attributes:
        started: the settings that this supervisor began with.
        engine: where the engine is asked.
        engine_id: whose.
    """

    started: Settings
    adopted: Adopted
    engine: Caller
    engine_id: str
    environment: Mapping[str, str]
    directory: Path
    clock: Callable[[], int]
    _seen: Marks = field(default=(), init=False)
    _offer: OfferSettings | None = field(default=None, init=False)
    _is_changed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._seen = self._marks()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Look once; what the engine has not answered for good goes to it again."""
        marks = self._marks()
        if marks != self._seen:
            self._seen, self._is_changed, self._offer = marks, True, None
            return
        if self._is_changed:
            self._is_changed, self._offer = False, self._read()
        if self._offer is None:
            return
        command = seal(self._offer, by=BY, at_ns=self.clock(), target=self.engine_id)
        try:
            reply = await self.engine.call(command)
        except TransientError as error:
            log.info("changed settings wait for the engine: %s", error)
            return
        if isinstance(reply, Acknowledged):
            self.adopted.values = dict(self._offer.values)
        if not (isinstance(reply, Declined) and reply.needs_confirmation):
            self._offer = None

    def _read(self) -> OfferSettings:
        try:
            settings = load_settings(self.environment, directory=self.directory)
        except SettingsError as error:
            return OfferSettings(values={}, trouble=str(error))
        return OfferSettings(
            values=running_values(settings), at_next_start=changed_at_start(self.started, settings)
        )

    def _marks(self) -> Marks:
        try:
            files = settings_files(self.environment, directory=self.directory)
        except SettingsError:
            files = [self.directory / ".env"]
        marks = []
        for path in files:
            try:
                stat = path.stat()
            except OSError:
                continue
            marks.append((str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino))
        return tuple(marks)
