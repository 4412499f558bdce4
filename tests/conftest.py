"""What holds for every test: properties are no measurements, and what waits comes first."""

import gc
import sys
from typing import Any, Final

import psutil
import pytest
from hypothesis import HealthCheck, settings

from tests.closing import close_all_accepted
from tests.effort import IS_DEEP, examples
from tests.rewriting import rewrite_share

CAMPAIGN = "campaign"
RECURSION_LIMIT = 1_000
GROWN_BYTES: Final = 300_000_000
_PROCESS: Final = psutil.Process()
_kept_bytes = 0

settings.register_profile(
    "any machine",
    deadline=None,
    max_examples=examples(100),
    derandomize=not IS_DEEP,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("any machine")

gc.disable()
close_all_accepted()


def pytest_configure(config: pytest.Config) -> None:
    """Share with the other workers what all of them would do."""
    worker = getattr(config, "workerinput", None)
    if worker is not None and not sys.dont_write_bytecode:
        number = int(worker["workerid"].removeprefix("gw"))
        rewrite_share(config, number=number, count=worker["workercount"])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Hand tests out, side by side, with those that they belong to."""
    from tests.distribution import Together  # noqa: PLC0415 - where xdist is

    return Together(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only `make test-long` runs, and begin with what waits for processes.

    So, side by side, no worker is left alone with that.
    """
    if CAMPAIGN not in config.getoption("markexpr"):
        left_out = [item for item in items if item.get_closest_marker(CAMPAIGN) is not None]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker(CAMPAIGN) is None]
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """Return when a test's turn is: at the end only quick ones are left, for all workers alike."""
    if item.get_closest_marker("slow") is not None:
        return 0
    return 1 if hasattr(getattr(item, "obj", None), "hypothesis") else 2


def pytest_collection_finish() -> None:
    """Keep what was loaded out of every later collection of garbage, which would go through it."""
    gc.freeze()
    gc.enable()
    # A library that tests of chains load (py_ecc) raises it so far that a deep JSON overflows the
    # stack. No role of the product loads that: `bot/test_hostile_updates.py`.
    sys.setrecursionlimit(RECURSION_LIMIT)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Collect what large worlds left: their arrays are no objects that a collection counts."""
    global _kept_bytes  # noqa: PLW0603 - of the process
    if _PROCESS.memory_info().rss > _kept_bytes + GROWN_BYTES:
        gc.collect()
        _kept_bytes = _PROCESS.memory_info().rss
