"""Which tests go to a worker together where they run side by side.

What a module makes once for all of its tests is made by one worker. Quick tests go some of a file
at a time, as less is said about each of them then; every test of a file with slow ones goes alone.
The order stays that of the collection: what waits for processes first (`conftest.py`).
"""

from pathlib import Path
from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = 16
MADE_ONCE: Final = 'scope="module"'
SLOW: Final = "mark.slow"


class Units:
    """What is handed out at once; a test is always of the same."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unit_of: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._texts: dict[str, str] = {}

    def of(self, nodeid: str) -> str:
        """Return the unit of a test."""
        unit = self._unit_of.get(nodeid)
        if unit is None:
            unit = self._unit_of[nodeid] = self._new(nodeid)
        return unit

    def _new(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        text = self._texts.get(file)
        if text is None:
            text = self._texts[file] = (self._root / file).read_text()
        if MADE_ONCE in text:
            return file
        if SLOW in text:
            return nodeid
        number = self._counts[file] = self._counts.get(file, -1) + 1
        return f"{file} {number // TOGETHER}"


class Together(LoadScopeScheduling):  # type: ignore[misc]
    """Hands tests out, each with those that it belongs to, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._units = Units(config.rootpath)

    def _split_scope(self, nodeid: str) -> str:
        return self._units.of(nodeid)
