"""What is kept of one task, in files of its own.

``NAME.state``: in which its run may be held; ``NAME.learned``: what the last one passed on;
``NAME.given``: what the run under way was given, until it ended; ``NAME.result``: what it ended
with, until that was taken. A name is that of the basis and of the task.
"""

import contextlib
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

import msgspec

from engine.background.coding import GivenKept, decode_as
from engine.background.ports import STATE_BYTES_MAX, Given, Task
from engine.background.sealed import (
    OVERHEAD_BYTES,
    RUN_ID_BYTES,
    GarbageError,
    Kind,
    Sealed,
    unseal,
)
from engine.background.state_page import (
    StatePage,
    StateTooLargeError,
    open_page,
    read_page,
)
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.runs import How

GIVEN_BYTES_MAX: Final = 32_000_000
OUTCOME_BYTES_MAX: Final = STATE_BYTES_MAX + 2_000_000
"""Most bytes of an outcome, encoded: what was learned, and what was found."""
RESULT_BYTES_MAX: Final = OUTCOME_BYTES_MAX + 100_000
_NAME: Final = "[a-z][a-z0-9_]{0,63}"
NO_RUN: Final = bytes(RUN_ID_BYTES)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a run said at its end.

    Attributes:
        outcome: encoded, if it is done.
        remarks: what of before it could not use and what it could not keep, in words.
        own_s: processor time of the task's own code, in the attempt that came to this end.
    """

    how: How
    why: str = ""
    outcome: bytes = b""
    remarks: tuple[str, ...] = ()
    own_s: float = 0.0


def check_outcome(content: bytes, *, task: str) -> None:
    """Raise `StateTooLargeError` if an outcome has more than it may."""
    if len(content) > OUTCOME_BYTES_MAX:
        raise StateTooLargeError(
            f"the outcome of {task} has {len(content):,} bytes; {OUTCOME_BYTES_MAX:,} are allowed"
        )


class TaskFiles:
    """The files of one task; the role `workers` and the runs know them."""

    def __init__(
        self,
        folder: Path,
        task: Task[Any],
        *,
        basis: Basis,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        if re.fullmatch(_NAME, task.name) is None:
            raise BadValueError(f"a task cannot be named {task.name!r}")
        self.task: Final = task
        self.basis: Final = basis
        self.name: Final = f"{basis.value}.{task.name}"
        """By which it is kept: what a sandbox taught is nothing that live markets did."""
        self._folder = folder
        self._clock = clock

    def path(self, kind: Kind) -> Path:
        """Return where something of the task is kept."""
        return self._folder / f"{self.name}.{kind.name.lower()}"

    # ---- the two pages ---------------------------------------------------------------------

    def page(self, kind: Kind) -> tuple[Sealed | None, list[str]]:
        """Return the newest on a page, and what is wrong with it; see `read_page`."""
        return read_page(self.path(kind), kind=kind, task=self.name)

    def open_page(self, kind: Kind) -> AbstractContextManager[StatePage]:
        """Become the one writer of a page."""
        return open_page(self.path(kind), kind=kind, task=self.name, clock=self._clock)

    def state_of(self, run: bytes) -> Sealed | None:
        """Return the state in which a run was held."""
        found, _ = self.page(Kind.STATE)
        return found if found is not None and found.run == run else None

    # ---- a run from its beginning to its end -----------------------------------------------

    def begin(self, given: Given) -> bytes:
        """Keep what a new run is given; return the run's id.

        Raises:
            BadValueError: it is too large, or not what the task wants.
            OSError: it cannot be kept.
        """
        if given.basis is not self.basis:
            raise BadValueError(f"{self.task.name} was given {given.basis}, this is {self.basis}")
        learned, _ = self.page(Kind.LEARNED)
        kept = GivenKept.of(self.task, given, learned=0 if learned is None else learned.sequence)
        content = msgspec.msgpack.encode(kept)
        if len(content) > GIVEN_BYTES_MAX:
            raise BadValueError(
                f"what {self.task.name} was given has {len(content):,} bytes; "
                f"{GIVEN_BYTES_MAX:,} are allowed"
            )
        run = secrets.token_bytes(RUN_ID_BYTES)
        self.path(Kind.RESULT).unlink(missing_ok=True)
        self._replace(Kind.GIVEN, content, run=run)
        return run

    def given(self) -> tuple[bytes, Given, Sealed | None] | None:
        """Return the run under way: its id, what it was given, and what was learned before it.

        Raises:
            BadValueError: there is one which cannot go on: why.
        """
        sealed = self._load(Kind.GIVEN, GIVEN_BYTES_MAX)
        return None if sealed is None else self.given_of(sealed)

    def given_of(self, sealed: Sealed) -> tuple[bytes, Given, Sealed | None]:
        """Return what `given` does, of what was loaded already."""
        what = f"what {self.task.name} was given"
        kept = decode_as(sealed.content, GivenKept, what=what)
        learned, _ = self.page(Kind.LEARNED)
        if kept.learned != (0 if learned is None else learned.sequence):
            raise GarbageError(f"what {self.task.name} had learned is not what its run began with")
        return sealed.run, kept.restore(self.task), learned

    def end(self, result: Result, *, run: bytes) -> None:
        """Keep what a run ended with.

        Raises:
            OSError: it cannot be kept.
        """
        self._replace(Kind.RESULT, msgspec.msgpack.encode(result), run=run)

    def result(self, run: bytes) -> Result | None:
        """Return what a run ended with; None if it did not, or left nothing that can be read."""
        try:
            sealed = self._load(Kind.RESULT, RESULT_BYTES_MAX)
            if sealed is None or sealed.run != run or sealed.version != self.task.version:
                return None
            return decode_as(sealed.content, Result, what=f"result of {self.task.name}")
        except BadValueError:
            return None

    def settle(self, learned: bytes, *, run: bytes) -> None:
        """Let what a run learned stand, and forget the run."""
        with self.open_page(Kind.LEARNED) as page:
            page.write(learned, version=self.task.version, run=run)
            page.sync()
        self.forget()

    def forget(self) -> None:
        """Forget the run under way; what was learned before stands."""
        for kind in (Kind.GIVEN, Kind.RESULT):
            self.path(kind).unlink(missing_ok=True)

    # ---- files that are replaced as a whole ------------------------------------------------

    def load_given(self) -> Sealed | None:
        """Return what the run under way was given, as it is kept; None if it cannot be read."""
        try:
            return self._load(Kind.GIVEN, GIVEN_BYTES_MAX)
        except GarbageError:
            return None

    def put(self, sealed: Sealed) -> None:
        """Keep what was kept elsewhere.

        Raises:
            TransientError, OSError: it cannot be kept.
        """
        if sealed.kind in {Kind.LEARNED, Kind.STATE}:
            with self.open_page(sealed.kind) as page:
                page.put(sealed)
                page.sync()
        else:
            self._put(sealed)

    def _load(self, kind: Kind, most: int) -> Sealed | None:
        path = self.path(kind)
        try:
            with path.open("rb") as file:
                raw = file.read(most + OVERHEAD_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise GarbageError(f"{path.name} cannot be read: {error.strerror}") from error
        return unseal(raw, kind=kind, task=self.name)

    def _replace(self, kind: Kind, content: bytes, *, run: bytes) -> None:
        at_ns = self._clock()
        self._put(
            Sealed(
                kind=kind,
                task=self.name,
                version=self.task.version,
                sequence=max(at_ns, 1),
                at_ns=at_ns,
                run=run,
                content=content,
            )
        )

    def _put(self, sealed: Sealed) -> None:
        path = self.path(sealed.kind)
        with _scratch(path) as scratch:
            with scratch.open("wb") as file:
                file.write(sealed.encode())
            scratch.replace(path)


@contextlib.contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """Yield a name beside a file, gone again if it was not needed to the end."""
    scratch = path.with_name(f"{path.name}.new")
    try:
        yield scratch
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
