"""What following a chain asks of its nodes; whoever carries it out says what came of it."""

from dataclasses import dataclass

from engine.chains.following.headers import Header
from engine.chains.ports import BlockRef


@dataclass(frozen=True, slots=True)
class AskLatest:
    """Which block the chain ends with."""


@dataclass(frozen=True, slots=True)
class AskHeader:
    """A header by its hash."""

    hash: str


@dataclass(frozen=True, slots=True)
class AskSpan:
    """Headers by their numbers, both ends included; they may be of any branch."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class AskLogs:
    """The events of a block."""

    of: Header


@dataclass(frozen=True, slots=True)
class AskRead:
    """Whole states of pools as of a block."""

    at: BlockRef
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskTerms:
    """Terms of pools that may change without an event, as of a block."""

    at: BlockRef
    addresses: tuple[str, ...]


Ask = AskLatest | AskHeader | AskSpan | AskLogs | AskRead | AskTerms
