"""Tests that run side by side are handed out with those that they belong to."""

import pytest

from tests.distribution import TOGETHER, Units


def units(config: pytest.Config, file: str, count: int) -> list[str]:
    known = Units(config.rootpath)
    return [known.of(f"{file}::test_{number}") for number in range(count)]


def test_what_a_module_makes_once_is_made_by_one_worker(pytestconfig: pytest.Config) -> None:
    found = units(pytestconfig, "tests/background/test_hold.py", 3 * TOGETHER)

    assert len(set(found)) == 1


def test_slow_tests_wait_for_no_other_of_their_file(pytestconfig: pytest.Config) -> None:
    found = units(pytestconfig, "tests/scenarios/test_threads.py", 3)

    assert len(set(found)) == 3


def test_quick_tests_go_some_at_a_time_and_no_file_as_a_whole(pytestconfig: pytest.Config) -> None:
    found = units(pytestconfig, "tests/domain/test_values.py", 2 * TOGETHER + 1)

    assert [found.count(unit) for unit in dict.fromkeys(found)] == [TOGETHER, TOGETHER, 1]


def test_a_test_is_always_of_the_same_unit(pytestconfig: pytest.Config) -> None:
    known = Units(pytestconfig.rootpath)
    names = [f"tests/domain/test_values.py::test_{number}" for number in range(40)]

    assert [known.of(name) for name in names] == [known.of(name) for name in names]
