"""Runs of background tasks as they are told: how one ended, what it used and measured."""

from enum import StrEnum

import msgspec


class How(StrEnum):
    """How a run ended."""

    DONE = "done"
    RAISED = "raised"
    """It failed by itself: an exception."""
    TOO_LONG = "too long"
    TOO_MUCH_CPU = "too much processor time"
    TOO_MUCH_MEMORY = "too much memory"
    HUNG = "hung"
    """It came to no point where it may be held."""
    CRASHED = "crashed"
    """Its process died."""
    GARBAGE = "garbage"
    """It gave something else than a state or an outcome."""
    FORKED = "forked"
    """It began a process, which no task may."""
    STOPPED = "stopped"
    """It was asked to: its state stands, and the next run goes on from it."""


class Trigger(StrEnum):
    """Why a run began."""

    DUE = "due"
    ASKED = "asked"
    """Somebody asked for it in the chat."""
    RESUMED = "resumed"
    """A run that was interrupted goes on."""
    MORE = "more"
    """The run before said that there is more to do, and nobody else wanted the place."""


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One run that ended.

    Attributes:
        why: in words, unless it is done.
        waited_s: from when it was due until it began.
        wall_s: from its beginning to its end, without the time that it was held.
        held_s: time that it was held for what is more urgent.
        cpu_s: processor time.
        memory_mb: most memory of its own.
        resumed: how often it went on from a state after an interruption.
        found: discoveries.
        measured: figures of the run, by names with their units.
    """

    begun_at_ns: int
    ended_at_ns: int
    how: How
    why: str = ""
    trigger: Trigger = Trigger.DUE
    waited_s: float = 0.0
    wall_s: float = 0.0
    held_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0
    resumed: int = 0
    found: int = 0
    measured: dict[str, float] = {}
