"""What a background task is, what it is given, and what it may find.

A task is a plain function of what it is given: it opens nothing, asks no clock and draws chance
from its seed alone. So it ends with the same result however often it is stopped, ended and begun
again.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from engine.domain.discoveries import Discovery, Effect
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis

__all__ = [
    "STATE_BYTES_MAX",
    "Bounds",
    "Discovery",
    "EffectFound",
    "Given",
    "Outcome",
    "Priority",
    "Run",
    "Task",
    "Want",
]

State = TypeVar("State", bound=msgspec.Struct | None)
Answer_co = TypeVar("Answer_co", covariant=True)

STATE_BYTES_MAX: Final = 10_000_000
"""Most bytes of a task's state, encoded."""


class Priority(IntEnum):
    """Which of two tasks runs first when not all can."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one run of a task may use; beyond it the run is ended, and that is told.

    Attributes:
        wall_s: from its start, without the time that it was held.
        cpu_s: of processor time.
        memory_mb: of memory of its own.
        untouched_mb: of memory that it asks for beside that and never touches, as tables have that
            are made as large as they may become.
    """

    wall_s: float = 120.0
    cpu_s: float = 30.0
    memory_mb: int = 120
    untouched_mb: int = 0


class Want(Protocol[Answer_co]):
    """Something that a task wants to be given: a frozen struct, comparable, that can be encoded."""

    @property
    def answer_type(self) -> type[Answer_co]:
        """Type of what is given for it."""
        ...


class Given:
    """What a run is given, all of it before it begins.

    Args:
        at_ns: when that was, nanoseconds since 1970: the run's only clock.
        basis: whether it is of the sandbox, of live markets or of a replay.
        seed: of all its chance.
        answers: what was to be had, by what was wanted.
    """

    def __init__(
        self, *, at_ns: int, basis: Basis, seed: int, answers: Mapping[Want[Any], object]
    ) -> None:
        self.at_ns: Final = at_ns
        self.basis: Final = basis
        self.seed: Final = seed
        self._answers = answers

    def of(self, want: Want[Answer_co]) -> Answer_co:
        """Return what was given for something wanted.

        Raises:
            BadValueError: the task does not name it among its `wants`.
        """
        try:
            return self._answers[want]  # type: ignore[return-value]  # checked when it was decoded
        except KeyError:
            raise BadValueError(f"{want} is not among what the task wants") from None


class EffectFound(msgspec.Struct, frozen=True, kw_only=True):
    """What a discovery was measured to change.

    Attributes:
        seq: number of the discovery.
    """

    seq: int
    effect: Effect


class Outcome(msgspec.Struct, Generic[State], frozen=True, kw_only=True):
    """What a run ends with.

    Attributes:
        learned: what the next run is given as `learned`; None keeps nothing.
        measured: figures of this run for its page, by names with their units.
        effects: of discoveries of before.
        has_more: another run could go on at once, with what there is now; it begins while nothing
            else is due, in what is left of the share of time for such work.
    """

    found: tuple[Discovery, ...] = ()
    learned: State | None = None
    measured: dict[str, float] = {}
    effects: tuple[EffectFound, ...] = ()
    has_more: bool = False


Run = Callable[[Given, State | None, State | None], Generator[State, None, Outcome[State]]]
"""Called with what is given, the state in which an interrupted run was held (None: begin), and what
the last run that ended learned. It yields its state at each point where it may be held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[State]):
    """A background task: one file and one line in the list.

    Attributes:
        name: its one name everywhere, in lower case with underscores.
        agent: whose it is, such as ``base_analyst``.
        does: what it does, for a person.
        every_s: time between two beginnings; `cron` instead for times of day.
        wants: what it is given; a run waits while one of them cannot be had.
        state: type of its state.
        version: raised when states of before cannot be read as `state` any more.
        upgrade: turns the state of an earlier version (as plain values) into one of now, or None if
            it is to be discarded.
        after: names of tasks that must have ended once before it begins.
    """

    name: str
    agent: str
    does: str
    state: type[State]
    run: Run[State]
    wants: tuple[Want[Any], ...]
    every_s: float = 0.0
    cron: str = ""
    priority: Priority = Priority.MEDIUM
    bounds: Bounds = field(default_factory=Bounds)
    version: int = 1
    upgrade: Callable[[int, Any], State | None] | None = None
    after: tuple[str, ...] = ()
