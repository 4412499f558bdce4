"""Mutants are real changes of real code, the same for a seed, and tests see them."""

import ast
import gc
from pathlib import Path

import pytest

from engine.decide.order_rate import OrderRate
from tests.effort import IS_DEEP
from tests.mutants.__main__ import ROOMS
from tests.mutants.mutant import ROOT, Functions, Mutant, all_mutants, sample
from tests.mutants.operators import find_changes
from tests.mutants.running import run_children


@pytest.mark.parametrize("room", ROOMS)
def test_every_change_of_a_room_compiles_and_is_one(room: str) -> None:
    for path in {mutant.path for mutant in all_mutants(room)}:
        source = (ROOT / path).read_text()
        before = ast.unparse(ast.parse(source))
        changes = list(find_changes(ast.parse(source)))
        for index in range(0, len(changes), 11 if IS_DEEP else 67):
            tree = ast.parse(source)
            list(find_changes(tree))[index].make()
            compile(tree, path, "exec")
            assert ast.unparse(tree) != before


def test_a_longer_sample_of_a_seed_begins_as_a_short_one_with_some_of_each_room() -> None:
    short, long = sample(ROOMS, 60, 3), sample(ROOMS, 200, 3)

    assert long[:60] == short
    assert short != sample(ROOMS, 60, 4)
    assert {mutant.room for mutant in short} == set(ROOMS)


def test_a_mutant_lives_in_its_own_process_and_in_no_file() -> None:
    def rate_of(_place: Path) -> str:
        functions.become(mutant)
        return str(_last_minute())

    gc.freeze()  # as an engine in this process does
    functions = Functions(["decide"])
    (mutant,) = [one for one in all_mutants("decide") if _is_without_what_it_adds(one)]
    before = (ROOT / mutant.path).read_bytes()

    (ended,) = run_children([(mutant, rate_of, 60.0)], workers=1)

    assert (ended.told, _last_minute()) == ("0", 2)
    assert (ROOT / mutant.path).read_bytes() == before


def _last_minute() -> int:
    rate = OrderRate()
    rate.add(2, 1)
    return rate.last_minute(1)


def _is_without_what_it_adds(mutant: Mutant) -> bool:
    return mutant.old == "self._sent_at_ns.extend([at_ns] * count)"
