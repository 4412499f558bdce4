"""Copies of what tasks keep, put elsewhere each minute and after each hold, and taken back.

The pages outlive every process of this machine. Copies are for what they do not outlive: a folder
that is lost or damaged, a machine that ends. What is wrong with a place where copies are put
delays nothing, and is told once.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import zstandard

from engine.background.copy_stores import CopyStore
from engine.background.sealed import (
    OVERHEAD_BYTES,
    GarbageError,
    Kind,
    Sealed,
    next_sequence,
    unseal,
)
from engine.background.task_files import GIVEN_BYTES_MAX, TaskFiles
from engine.background.trouble import Tell, Trouble
from engine.bus.background_copies import TaskCopy
from engine.domain.errors import SyndicateError

EVERY_S: Final = 60.0
LEAST_S: Final = 1.0
"""Least time from one copying to the next, however many holds there are."""
RESTORE_S: Final = 15.0
"""Longest wait for copies at the start."""
COPIED: Final = (Kind.LEARNED, Kind.GIVEN, Kind.STATE)
RAW_BYTES_MAX: Final = GIVEN_BYTES_MAX + OVERHEAD_BYTES
_LEVEL: Final = 3


@dataclass(slots=True)
class CopyFigures:
    """What became of copies at one place.

    Attributes:
        put: copies that are there.
        failed: attempts that were in vain, since the start.
        is_away: the last attempt was.
        put_at_ns: when all that was new was there last; 0 never.
    """

    put: int = 0
    failed: int = 0
    put_bytes: int = 0
    is_away: bool = False
    put_at_ns: int = 0


class _Place:
    """One place where copies are put, with what is there already."""

    def __init__(self, store: CopyStore) -> None:
        self.store = store
        self.figures = CopyFigures()
        self.there: dict[tuple[str, Kind], tuple[int, bool]] = {}
        """Which copy of what is there, and whether it says more than that there is nothing."""
        self.is_woken = asyncio.Event()


class Copies:
    """Puts copies to all places; made by `copying`."""

    def __init__(
        self,
        files: Sequence[TaskFiles],
        stores: Sequence[CopyStore],
        *,
        tell: Tell,
        clock: Callable[[], int],
    ) -> None:
        self._files = files
        self._places = [_Place(one) for one in stores]
        self._tell = tell
        self._clock = clock

    def wake(self) -> None:
        """Put what is new soon: background work was held."""
        for place in self._places:
            place.is_woken.set()

    def figures(self) -> dict[str, CopyFigures]:
        """Return what became of copies, by place."""
        return {place.store.name: place.figures for place in self._places}

    async def restore(self) -> None:
        """Take back what is not here, or damaged here: the newest whole copy of each.

        What is here stands. A run is taken back only where nothing of its task is left.
        """
        missing = [files for files in self._files if files.page(Kind.LEARNED)[0] is None]
        try:
            async with asyncio.timeout(RESTORE_S):
                for files in missing:
                    await self._restore(files, is_all=not _any_left(files))
        except TimeoutError:
            self._tell(Trouble(task="", what="copies came too slowly: some tasks begin without"))

    async def _restore(self, files: TaskFiles, *, is_all: bool) -> None:
        name = files.name
        found: dict[Kind, Sealed] = {}
        gone: dict[Kind, int] = {}
        for copy in await self._load(name):
            if copy.kind not in COPIED:
                continue
            kind = Kind(copy.kind)
            if not copy.content:
                gone[kind] = max(copy.sequence, gone.get(kind, 0))
                continue
            try:
                sealed = unpacked(copy.content, kind=kind, task=name)
            except GarbageError as error:
                self._tell(Trouble(task=files.task.name, what=f"a copy cannot be used: {error}"))
                continue
            if kind not in found or sealed.sequence > found[kind].sequence:
                found[kind] = sealed
        if is_all and found.get(Kind.GIVEN, _NOTHING).sequence > gone.get(Kind.GIVEN, 0):
            wanted: Iterable[Kind] = COPIED
        else:
            wanted = (Kind.LEARNED,)
        try:
            for kind in wanted:
                if kind in found:
                    files.put(found[kind])
        except (OSError, SyndicateError) as error:
            self._tell(Trouble(task=files.task.name, what=f"a copy cannot be taken back: {error}"))

    async def _load(self, task: str) -> list[TaskCopy]:
        """Return the copies of a task at all places that answer."""

        async def load(place: _Place) -> list[TaskCopy]:
            if place.figures.is_away:
                return []
            try:
                return await place.store.load(task)
            except SyndicateError as error:
                self._failed(place, error)
                return []

        loaded = await asyncio.gather(*(load(place) for place in self._places))
        return [copy for copies in loaded for copy in copies]

    async def put_for_ever(self, place: _Place) -> None:
        """Put what is new each minute and when woken."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(place.is_woken.wait(), EVERY_S)
            place.is_woken.clear()
            await self.put(place)
            await asyncio.sleep(LEAST_S)

    async def put(self, place: _Place) -> None:
        """Put what is new to a place."""
        for files in self._files:
            new = await asyncio.to_thread(_new, files, dict(place.there), self._clock())
            for copy in new:
                try:
                    await place.store.keep([copy])
                except SyndicateError as error:
                    self._failed(place, error)
                    return
                place.there[copy.task, Kind(copy.kind)] = (copy.sequence, bool(copy.content))
                place.figures.put += 1
                place.figures.put_bytes += len(copy.content)
        if place.figures.is_away:
            place.figures.is_away = False
            self._tell(
                Trouble(task="", what=f"copies of what tasks keep reach {place.store.name} again")
            )
        place.figures.put_at_ns = self._clock()

    async def put_all(self) -> None:
        """Put what is new to all places."""
        await asyncio.gather(*(self.put(place) for place in self._places))

    def _failed(self, place: _Place, error: Exception) -> None:
        place.figures.failed += 1
        if not place.figures.is_away:
            place.figures.is_away = True
            what = f"copies of what tasks keep do not reach {place.store.name}: {error}"
            self._tell(Trouble(task="", what=what))

    @contextlib.asynccontextmanager
    async def copying(self, *, close_s: float = 5.0) -> AsyncIterator[None]:
        """Put copies until the block ends, and what is new once more then."""
        tasks = [asyncio.create_task(self.put_for_ever(place)) for place in self._places]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(close_s):
                    await self.put_all()
            for place in self._places:
                await place.store.aclose()


_NOTHING: Final = Sealed(
    kind=Kind.GIVEN, task="", version=0, sequence=-1, at_ns=0, run=b"", content=b""
)


def packed(sealed: Sealed) -> bytes:
    """Return something sealed as it is copied."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(sealed.encode())


def unpacked(content: bytes, *, kind: Kind, task: str) -> Sealed:
    """Return what was copied.

    Raises:
        GarbageError: it was something else.
    """
    try:
        size = zstandard.frame_content_size(content)
        if not 0 <= size <= RAW_BYTES_MAX:
            raise GarbageError(f"it has {size:,} bytes by its own word")
        raw = zstandard.ZstdDecompressor().decompress(content, max_output_size=RAW_BYTES_MAX)
    except zstandard.ZstdError as error:
        raise GarbageError(f"the {kind.name.lower()} of {task}: {error}") from error
    found = unseal(raw, kind=kind, task=task)
    if found is None:
        raise GarbageError(f"the {kind.name.lower()} of {task} is empty")
    return found


def _any_left(files: TaskFiles) -> bool:
    return files.load_given() is not None or files.page(Kind.STATE)[0] is not None


def _new(
    files: TaskFiles, there: dict[tuple[str, Kind], tuple[int, bool]], at_ns: int
) -> list[TaskCopy]:
    """Return copies of what a place does not have yet; of a run that ended, that it did."""
    name = files.name
    given = files.load_given()
    learned, _ = files.page(Kind.LEARNED)
    state = None if given is None else files.state_of(given.run)
    copies = []
    for kind, sealed in zip(COPIED, (learned, given, state), strict=True):
        known, is_something = there.get((name, kind), (0, True))
        if sealed is not None and (sealed.sequence, True) != (known, is_something):
            copies.append(
                TaskCopy(
                    task=name,
                    kind=kind,
                    sequence=sealed.sequence,
                    at_ns=sealed.at_ns,
                    content=packed(sealed),
                )
            )
        elif sealed is None and kind is Kind.GIVEN and is_something:
            after = next_sequence(known, at_ns=at_ns)
            gone = TaskCopy(task=name, kind=kind, sequence=after, at_ns=at_ns, content=b"")
            copies.append(gone)
    return copies
