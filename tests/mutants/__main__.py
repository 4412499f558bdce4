"""Put small faults into rooms and see whether the tests notice: ``python -m tests.mutants``.

All is imported and collected once; each mutant is a fork in which one function got other code, and
in which the tests that reach its line run until one fails. What was tried is kept in `--results`,
so that a run goes on where it ended; of a mutant only what survived is tried `--again`.

Not a library, because of what they do here: mutmut 3 leaves out every function with a decorator
(properties, context managers), takes no sample, and runs a copy of the tree, to whose path the
compiled kernels do not belong; cosmic-ray rewrites files in place and starts all tests anew for
each mutant, which is seconds of imports; mutatest needs a coverage of five years ago.
"""

import argparse
import importlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.mutants.coverage_map import CoverageMap
from tests.mutants.equivalent import EQUIVALENT
from tests.mutants.mutant import ROOT, Functions, Mutant, sample, sources
from tests.mutants.running import run_children, run_items

ROOMS = ("decide", "execute", "portfolio", "operate", "storage")
TESTS = (
    *(f"tests/{room}" for room in (*ROOMS, "core", "quote", "wiring", "settings", "market")),
    *("tests/bus", "tests/tools", "tests/simulation"),
)
"""Those that reach the rooms within this process: other processes do not see a mutant."""
MAPPED = (*ROOMS, "core", "quote")
"""Rooms whose lines are mapped to tests, whichever are asked for."""

TOLD_EVERY_S = 15.0
KILLED, TIMED_OUT, SURVIVED, UNREACHED = "killed", "timed out", "survived", "no test reaches it"


class Campaign:
    """A pytest plugin that runs mutants in the place of the tests that were collected."""

    def __init__(self, asked: argparse.Namespace) -> None:
        self._asked = asked
        self._rooms = tuple(asked.rooms.split())
        self._results = Results(asked.results / "results.jsonl", self._rooms)
        self._told_s = time.monotonic()
        self.survived = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Take the same examples each time, and don't look for the smallest that fails."""
        from hypothesis import Phase, settings  # noqa: PLC0415 # pytest wants to load it itself

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile(
            "mutants", settings.default, derandomize=True, database=None, phases=phases
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if "postgres" not in item.nodeid]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            return False
        for path in sources(MAPPED):
            importlib.import_module(
                path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            )
        functions = Functions(self._rooms)
        tests = self._map_tests(session)
        drawn = sample(self._rooms, self._asked.count, self._asked.seed)
        drawn = [mutant for mutant in drawn if functions.has(mutant)]
        started_s = time.monotonic()
        tasks = self._tasks(session, drawn, functions, tests)
        for fresh, ended in enumerate(run_children(tasks, workers=self._asked.workers), 1):
            outcome = TIMED_OUT if ended.told is None else KILLED if ended.told else SURVIVED
            self._results.add(ended.subject, outcome, ended.told or "")
            counts = Counter(self._results.outcome(one) for one in drawn)
            self._tell(
                f"{len(drawn) - counts['']} of {len(drawn)} mutants: "
                f"{counts[KILLED] + counts[TIMED_OUT]} killed, "
                f"{counts[SURVIVED] + counts[UNREACHED]} survived; "
                f"{fresh / (time.monotonic() - started_s) * 60:.0f} a minute"
            )
        self.survived = self._results.report(drawn)
        return True

    def _map_tests(self, session: pytest.Session) -> CoverageMap:
        tests = CoverageMap(self._asked.results, session, MAPPED)
        missing = list(tests.missing())
        for number, ended in enumerate(run_children(missing, workers=self._asked.workers), 1):
            name = ended.subject.relative_to(ROOT)
            if not tests.keep(ended):
                _say(f"left out: {name}: {ended.told or 'took too long'}")
            self._tell(f"which test reaches what: {number} of {len(missing)} files")
        tests.load()
        return tests

    def _tasks(
        self,
        session: pytest.Session,
        drawn: list[Mutant],
        functions: Functions,
        tests: CoverageMap,
    ) -> Iterator[tuple[Mutant, Callable[[Path], str], float]]:
        for mutant in drawn:
            outcome = self._results.outcome(mutant)
            if outcome and not (self._asked.again and outcome in (SURVIVED, UNREACHED)):
                continue
            items, timeout_s = tests.tests_of(mutant, self._asked.seconds)
            if not items:
                self._results.add(mutant, UNREACHED, "")
                continue

            def task(place: Path, mutant: Mutant = mutant, items: list[pytest.Item] = items) -> str:
                functions.become(mutant)
                return run_items(session, items, place)

            yield mutant, task, timeout_s

    def _tell(self, text: str) -> None:
        if time.monotonic() - self._told_s > TOLD_EVERY_S:
            self._told_s = time.monotonic()
            _say(text)


class Results:
    """What became of mutants, kept in a file as they end."""

    def __init__(self, path: Path, rooms: tuple[str, ...]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._rooms = rooms
        self._outcomes: dict[tuple[str, int], dict[str, str | int]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                stored = json.loads(line)
                self._outcomes[stored["name"], stored["place"]] = stored

    def outcome(self, mutant: Mutant) -> str:
        return str(self._outcomes.get(_identity(mutant), {}).get("outcome", ""))

    def add(self, mutant: Mutant, outcome: str, by: str) -> None:
        name, place = _identity(mutant)
        stored: dict[str, str | int] = {
            "name": name,
            "place": place,
            "outcome": outcome,
            "by": by,
            "line": mutant.line,
        }
        self._outcomes[name, place] = stored
        with self._path.open("a") as file:
            file.write(json.dumps(stored) + "\n")

    def report(self, drawn: list[Mutant]) -> int:
        """Print a score for each room and what survived; return how many tests are missing."""
        counts = {room: Counter[str]() for room in self._rooms}
        missing = []
        for mutant in drawn:
            outcome = self.outcome(mutant)
            if not outcome:
                continue  # the run was ended before
            if outcome in (SURVIVED, UNREACHED):
                if mutant.name in EQUIVALENT:
                    outcome = "equivalent"
                else:
                    missing.append((mutant, outcome))
            counts[mutant.room][outcome] += 1
        for mutant, outcome in sorted(missing, key=lambda one: (one[0].path, one[0].line)):
            _say(f"{mutant.path}:{mutant.line} {mutant.qualname} ({outcome})")
            _say(f"  - {mutant.old}\n  + {mutant.new}")
        _say("| room | tried | killed | of these timed out | survived | equivalent | score |")
        _say("|---|---:|---:|---:|---:|---:|---:|")
        for room, of_room in [*counts.items(), ("all", sum(counts.values(), Counter()))]:
            killed = of_room[KILLED] + of_room[TIMED_OUT]
            equal = of_room["equivalent"]
            judged = of_room.total() - equal
            _say(
                f"| {room} | {of_room.total()} | {killed} | {of_room[TIMED_OUT]} | "
                f"{judged - killed} | {equal} | {killed / max(judged, 1):.1%} |"
            )
        return len(missing)


def _identity(mutant: Mutant) -> tuple[str, int]:
    """A mutant is what it changes; of equal ones in a function the place within it counts."""
    return mutant.name, mutant.line - mutant.function_line


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Run a sample of mutants; the exit code is 1 if tests are missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=800)
    parser.add_argument("--rooms", default=" ".join(ROOMS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10, help="of tests, for each mutant")
    parser.add_argument("--again", action="store_true", help="try those that survived once more")
    parser.add_argument("--results", type=Path, default=ROOT / "var" / "mutants")
    parser.add_argument("tests", nargs="*", default=TESTS)
    campaign = Campaign(asked := parser.parse_args())
    code = pytest.main(
        ["-q", "-s", "-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:xdist", *asked.tests],
        plugins=[campaign],
    )
    return 1 if code or campaign.survived else 0


if __name__ == "__main__":
    sys.exit(main())
