"""Verdicts of one chain on disk, so that a restart probes nothing again that still holds.

The file is replaced as a whole. One that cannot be read costs new probes and nothing else: it is
put aside if it can be, and what is not in it is unknown.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.token_safety import Verdict

log = logging.getLogger(__name__)

VERDICTS_MAX: Final = 6_000
"""So many tokens; the ones that were judged longest ago go first."""

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
_ASIDE: Final = ".unreadable"


class VerdictStore:
    """The file of one chain's verdicts.

    Attributes:
        damage: why the file that was there could not be read; empty if it could, or there is none.
        trouble: why nothing is kept now, or what was kept is lost; empty if all is well.
    """

    def __init__(self, directory: Path, chain: str) -> None:
        self.damage = ""
        self.trouble = ""
        self._chain = chain
        self._path = directory / f"token-verdicts-{chain}.json"

    def load(self) -> dict[str, Verdict]:
        """Return what was kept, by token."""
        try:
            with self._path.open("rb") as file:
                content = file.read(FILE_BYTES_MAX + 1)
            # A larger one is cut, and so no list.
            kept = msgspec.json.decode(content, type=list[Verdict])
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            self.damage = str(error)
            self._lose(error)
            return {}
        return {one.token: one for one in kept if one.chain == self._chain}

    def save(self, verdicts: Iterable[Verdict]) -> None:
        """Replace what was kept.

        Raises:
            OSError: it cannot be.
        """
        try:
            self._save(verdicts)
        except OSError as error:
            self.trouble = f"verdicts on tokens are not kept over a restart: {error}"
            raise
        self.trouble = ""

    def _save(self, verdicts: Iterable[Verdict]) -> None:
        newest = sorted(verdicts, key=lambda one: one.judged_at_s, reverse=True)[:VERDICTS_MAX]
        scratch = self._path.with_name(self._path.name + ".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            file.write(msgspec.json.encode(newest))
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self._path)

    def _lose(self, error: OSError | ValueError) -> None:
        """Put aside what cannot be read; what cannot be moved either stays, and is not believed."""
        self.trouble = f"verdicts on tokens could not be read, all are probed anew: {error}"
        try:
            self._path.replace(self._path.with_name(self._path.name + _ASIDE))
        except OSError as other:
            self.trouble += f"; nor can the file be put aside: {other}"
        log.warning("%s: %s", self._chain, self.trouble)
