"""Of how many blocks logs are asked at once: as many as the provider of the hour gives."""

from typing import Final

SPAN_MAX: Final = 1_000_000

TRIES_BEFORE_GROWING: Final = 4
"""Spans that were given since one was too much: then a longer one is tried again."""


class LogSpan:
    """A number of blocks that halves where it was too much and grows where it was given."""

    def __init__(self, blocks: int) -> None:
        self.blocks = blocks
        self._too_much = SPAN_MAX + 1
        self._given = 0

    def given(self) -> None:
        """Learn that a span of this length was answered."""
        self._given += 1
        if self._given >= TRIES_BEFORE_GROWING:
            self._given = 0
            self._too_much = min(2 * self._too_much, SPAN_MAX + 1)
        longer = 2 * self.blocks
        if longer < self._too_much:
            self.blocks = longer

    def refused(self) -> bool:
        """Learn that it was too much; say whether a shorter one is left to be asked for."""
        if self.blocks == 1:
            return False
        self._too_much, self._given = self.blocks, 0
        self.blocks = max(1, self.blocks // 2)
        return True
