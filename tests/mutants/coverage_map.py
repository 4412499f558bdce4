"""Which test reaches which line of the rooms, and how long it takes.

Kept between runs: a test file is measured again when it changed, all of them when a room did.
"""

import hashlib
import json
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import coverage
import pytest

from tests.mutants.mutant import ROOT, Mutant, sources
from tests.mutants.running import Ended, run_items

FILE_TIMEOUT_S = 900.0
MEASURED_TIMES = 3.0  # a test under measurement, or beside another, is slower
START_S = 10.0


class CoverageMap:
    """The tests of each line; `place` holds one file for each test file."""

    def __init__(self, place: Path, session: pytest.Session, rooms: Sequence[str]) -> None:
        self._session = session
        self._rooms = tuple(rooms)
        digest = hashlib.sha256()
        for path, source in sources(self._rooms).items():
            digest.update(path.encode() + source)
        self._place = place / f"map-{digest.hexdigest()[:12]}"
        self._place.mkdir(parents=True, exist_ok=True)
        self._items = {item.nodeid: item for item in session.items}
        self._by_file: dict[Path, list[pytest.Item]] = defaultdict(list)
        for item in session.items:
            self._by_file[item.path].append(item)
        self._reached: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._seconds: dict[str, float] = {}

    def missing(self) -> Iterator[tuple[Path, Callable[[Path], str], float]]:
        """Give what is still to be measured, as tasks."""
        for file, items in sorted(self._by_file.items()):
            if not self._stored_at(file).exists():
                yield file, self._measuring(items), FILE_TIMEOUT_S

    def keep(self, ended: Ended) -> bool:
        """Store what was measured; a file whose tests don't pass is left out."""
        told = ended.told or ""
        if not told.startswith("{"):
            return False
        self._stored_at(ended.subject).write_text(told)
        return True

    def load(self) -> None:
        """Read all that is stored of the tests as they are."""
        for file in self._by_file:
            stored_at = self._stored_at(file)
            if stored_at.exists():
                stored = json.loads(stored_at.read_text())
                self._seconds |= stored["seconds"]
                for path, lines in stored["lines"].items():
                    for line, tests in lines.items():
                        self._reached[path, int(line)].update(tests)

    def tests_of(self, mutant: Mutant, seconds_max: float) -> tuple[list[pytest.Item], float]:
        """Choose the tests that reach a mutant, and how long they may take.

        The room's own and the quick ones come first, of one test with many examples one at a time.
        """
        lines = range(mutant.line, mutant.last_line + 1)
        names = set().union(*(self._reached[mutant.path, line] for line in lines))
        own = f"tests/{mutant.room}/"
        examples: dict[str, int] = defaultdict(int)
        ranked = []
        for name in sorted(names & self._items.keys(), key=lambda one: (self._seconds[one], one)):
            test = name.split("[")[0]
            ranked.append((examples[test], not name.startswith(own), self._seconds[name], name))
            examples[test] += 1
        chosen: list[pytest.Item] = []
        seconds = 0.0
        for _, _, took_s, name in sorted(ranked):
            if chosen and seconds + took_s > seconds_max:
                continue
            chosen.append(self._items[name])
            seconds += took_s
        return chosen, START_S + MEASURED_TIMES * seconds

    def _stored_at(self, file: Path) -> Path:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
        return self._place / f"{file.parent.name}-{file.stem}-{digest}.json"

    def _measuring(self, items: Sequence[pytest.Item]) -> Callable[[Path], str]:
        def measure(place: Path) -> str:
            measurement = coverage.Coverage(
                data_file=None,
                include=[f"{ROOT}/engine/{room}/*" for room in self._rooms],
                concurrency=["thread", "greenlet"],
                config_file=False,
            )
            contexts = _Contexts(measurement)
            self._session.config.pluginmanager.register(contexts)
            measurement.start()
            failed = run_items(self._session, items, place)
            measurement.stop()
            if failed:
                return failed
            return json.dumps({"seconds": contexts.seconds, "lines": _lines(measurement)})

        return measure


class _Contexts:
    """A pytest plugin that names what is measured after the test, and adds up its time."""

    def __init__(self, measurement: coverage.Coverage) -> None:
        self._measurement = measurement
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._measurement.switch_context(nodeid)
        self.seconds[nodeid] = 0.0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration


def _lines(measurement: coverage.Coverage) -> dict[str, dict[int, list[str]]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", coverage.exceptions.CoverageWarning)  # nothing was reached
        found = measurement.get_data()
    return {
        str(Path(file).relative_to(ROOT)): {
            line: [one for one in contexts if one]
            for line, contexts in found.contexts_by_lineno(file).items()
        }
        for file in found.measured_files()
    }
