"""What a person is told about background work."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something about background work that a person is told.

    Attributes:
        task: whose; empty if it is of all.
    """

    task: str
    what: str


Tell = Callable[[Trouble], None]
