"""Who let our contract on a chain take routes again: the newest word for each chain, good once.

A pause that is signed afterwards ends it, as a kill does: whoever stopped later is right.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from engine.domain.units import NS_PER_S
from engine.domain.words import LetRun

LASTS_NS: Final = 600 * NS_PER_S
"""What lets a contract run is signed so soon after it was said, or never."""

NOBODY: Final = (
    "no person let the contract on {chain} run again, as far as the chat has told: /contract"
    " unpause {chain}"
)


@dataclass(slots=True)
class _Said:
    word: LetRun
    is_used: bool = False


@dataclass(slots=True, kw_only=True)
class LetRuns:
    """See the module.

    Attributes:
        latched_ns: when a latch of an engine was set or cleared last.
    """

    latched_ns: Callable[[str], int] = lambda _engine: 0
    _said: dict[str, _Said] = field(default_factory=dict)

    def hear(self, word: LetRun) -> None:
        """Keep a word in the place of an earlier one for its chain; told again it is as used."""
        before = self._said.get(word.chain)
        is_used = (
            before is not None and before.is_used and before.word.command_id == word.command_id
        )
        self._said[word.chain] = _Said(word, is_used=is_used)

    def take_back(self, chain: str) -> None:
        """Forget who let a chain's contract run: it was paused since, or was not to run at all."""
        self._said.pop(chain, None)

    def use(self, chain: str) -> None:
        """Use the word for a chain up."""
        self._said[chain].is_used = True

    def why_not(self, chain: str, *, now_ns: int, command_id: str | None = None) -> str:
        """Say why a chain's contract may not run again now; empty if it may.

        Args:
            chain: of the contract.
            now_ns: the wall clock.
            command_id: by which it was said, where that is known.
        """
        said = self._said.get(chain)
        if said is None or command_id not in {None, said.word.command_id}:
            return NOBODY.format(chain=chain)
        word = said.word
        if self.latched_ns(word.engine) >= word.at_ns:
            return "a latch was set or cleared since it was let run again"
        if not 0 <= now_ns - word.at_ns <= LASTS_NS:
            return f"it was let run again more than {LASTS_NS // NS_PER_S} s ago"
        return "that word was used already" if said.is_used else ""
