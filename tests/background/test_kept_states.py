"""What was kept is used by the task that can read it, and never misread."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.background.coding import DiscardedError, NoSuchValueError, encode_checked, state_of
from engine.background.ports import Given, Task
from engine.background.quarantine import FAILURES_MAX, Quarantine
from engine.background.sealed import GarbageError, Kind, Sealed
from engine.background.task_files import Result, TaskFiles
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.runs import How
from tests.background.nurseries import given
from tests.background.sample_tasks import PRIMES, WALK, CountState, Numbers

RUN = b"r" * 16


def kept(content: object, *, version: int = 1) -> Sealed:
    return Sealed(
        kind=Kind.STATE,
        task="sandbox.count_primes",
        version=version,
        sequence=1,
        at_ns=1,
        run=RUN,
        content=msgspec.msgpack.encode(content),
    )


def of_version(version: int, upgrade: Any = None) -> Task[CountState]:
    return dataclasses.replace(PRIMES, version=version, upgrade=upgrade)


def test_a_state_of_this_version_is_read_as_it_was() -> None:
    state = CountState(3, [2])

    assert state_of(PRIMES, kept(state), what="state") == state


@pytest.mark.parametrize("content", [None, [], {"at": "x", "primes": []}, 7, {"at": 1}])
def test_what_is_no_state_is_discarded_with_its_name(content: object) -> None:
    if content is None:
        assert state_of(PRIMES, kept(content), what="state") is None
        return
    with pytest.raises(DiscardedError, match="state of count_primes, of version 1, cannot be read"):
        state_of(PRIMES, kept(content), what="state")


def test_a_state_of_a_newer_version_is_discarded_whatever_it_looks_like() -> None:
    with pytest.raises(DiscardedError, match="of version 2, newer than 1"):
        state_of(PRIMES, kept(CountState(3, [2]), version=2), what="state")


def test_an_older_state_is_upgraded_or_discarded() -> None:
    old = kept({"upto": 3})

    def upgrade(version: int, plain: Any) -> CountState | None:
        return CountState(plain["upto"] + version, [])

    assert state_of(of_version(2, upgrade), old, what="state") == CountState(4, [])
    assert state_of(of_version(2, lambda *_: None), old, what="state") is None
    with pytest.raises(DiscardedError, match="of version 1: not used"):
        state_of(of_version(2), old, what="state")
    for bad in (lambda *_: 1 / 0, lambda *_: "no state", lambda *_: CountState("x", [])):  # type: ignore[arg-type]
        with pytest.raises(DiscardedError, match="cannot be read"):
            state_of(of_version(2, bad), old, what="state")


def files(folder: Path, task: Task[Any] = WALK, basis: Basis = Basis.SANDBOX) -> TaskFiles:
    return TaskFiles(folder, task, basis=basis)


def test_what_a_run_was_given_comes_back_the_same(tmp_path: Path) -> None:
    huge = Given(
        at_ns=5, basis=Basis.SANDBOX, seed=1 << 200, answers={Numbers(3): [0.1, float("inf")]}
    )
    run = files(tmp_path).begin(huge)

    found = files(tmp_path).given()

    assert found is not None
    assert (found[0], found[1].at_ns, found[1].seed) == (run, 5, 1 << 200)
    assert found[1].of(Numbers(3)) == [0.1, float("inf")]


def test_a_run_does_not_go_on_with_anything_else_than_it_was_given(tmp_path: Path) -> None:
    here = files(tmp_path)
    here.begin(given())
    other = dataclasses.replace(WALK, wants=(Numbers(4),))
    with pytest.raises(DiscardedError, match="wants something else now"):
        files(tmp_path, other).given()
    with here.open_page(Kind.LEARNED) as page:
        page.write(b"\xc0", version=1, run=RUN)
    with pytest.raises(GarbageError, match="is not what its run began with"):
        here.given()
    here.path(Kind.GIVEN).write_bytes(b"garbage" * 20)
    with pytest.raises(GarbageError):
        here.given()


def test_what_is_not_wanted_or_not_of_its_type_begins_no_run(tmp_path: Path) -> None:
    wrong = Given(at_ns=5, basis=Basis.SANDBOX, seed=1, answers={Numbers(3): ["one"]})
    with pytest.raises(NoSuchValueError, match="answer to Numbers"):
        files(tmp_path).begin(wrong)
    with pytest.raises(BadValueError, match="this is live"):
        files(tmp_path, basis=Basis.LIVE).begin(given())
    with pytest.raises(BadValueError, match="cannot be named"):
        files(tmp_path, dataclasses.replace(WALK, name="../walk"))
    assert list(tmp_path.iterdir()) == []


def test_a_result_counts_for_its_run_and_version_only(tmp_path: Path) -> None:
    here = files(tmp_path)
    run = here.begin(given())
    here.end(Result(how=How.DONE), run=run)

    assert here.result(run) is not None
    assert here.result(RUN) is None
    assert files(tmp_path, dataclasses.replace(WALK, version=2)).result(run) is None
    here.path(Kind.RESULT).write_bytes(os.urandom(200))
    assert here.result(run) is None


def test_failures_are_remembered_over_restarts_until_a_new_version(tmp_path: Path) -> None:
    now_s = [100.0]

    def opened(version: int = 1) -> Quarantine:
        return Quarantine(
            tmp_path / "failures.json",
            {PRIMES.name: of_version(version)},
            clock=lambda: now_s[0],
            wall_ns=lambda: 0,
        )

    quarantine = opened()
    assert [quarantine.failed(PRIMES, "it broke") for _ in range(2)] == [False, False]
    assert "waits 60 s after a failure: it broke" in opened().why_not(PRIMES.name)
    now_s[0] += 61.0
    assert quarantine.why_not(PRIMES.name) == ""
    again = opened()
    for _ in range(FAILURES_MAX - 2):
        is_last = again.failed(PRIMES, "it broke")
    assert is_last
    now_s[0] += 1e9
    assert "in quarantine after 5 failures" in opened().why_not(PRIMES.name)
    assert opened(version=2).why_not(PRIMES.name) == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"count_primes": 7}', b"\xff" * 99])
def test_a_damaged_file_of_failures_is_told_and_forgives_all(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "failures.json").write_bytes(content)

    quarantine = Quarantine(
        tmp_path / "failures.json", {PRIMES.name: PRIMES}, clock=lambda: 0.0, wall_ns=lambda: 0
    )

    assert quarantine.is_damaged
    assert quarantine.all() == {}


@pytest.mark.parametrize("value", [CountState("x", []), object(), None, 1 << 70])  # type: ignore[arg-type]
def test_what_cannot_be_read_again_is_not_kept(value: object) -> None:
    with pytest.raises(NoSuchValueError, match="the state is none"):
        encode_checked(value, type_=CountState, what="state")
