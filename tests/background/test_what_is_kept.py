"""The history of runs and the words on tasks, on disk."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.background import history as of_history
from engine.background.history import RUNS_MAX, SPARE, History
from engine.background.task_words import TaskWords, Word
from engine.domain.errors import FatalError
from engine.domain.runs import How, RunLine
from engine.domain.units import NS_PER_DAY


def run(at_ns: int, how: How = How.DONE, **measured: float) -> RunLine:
    return RunLine(begun_at_ns=at_ns, ended_at_ns=at_ns, how=how, measured=measured)


def test_runs_are_there_after_a_restart_oldest_first(tmp_path: Path) -> None:
    history = History(tmp_path, ["one", "two"])
    for at_ns in range(5):
        history.note("one", run(at_ns, hits=at_ns / 2))

    again = History(tmp_path, ["one", "two"])

    assert [line.ended_at_ns for line in again.runs("one")] == [0, 1, 2, 3, 4]
    assert again.last("one") == run(4, hits=2.0)
    assert again.last("two") is None


def test_a_line_that_was_cut_off_is_left_out_and_what_follows_is_kept(tmp_path: Path) -> None:
    History(tmp_path, ["one"]).note("one", run(1))
    file = tmp_path / "one.runs"
    file.write_bytes(file.read_bytes() + file.read_bytes()[:-9] + b'\n\xff\x00{}\n[1]\n{"how')

    cut = History(tmp_path, ["one"])
    cut.note("one", run(2))

    assert [line.ended_at_ns for line in History(tmp_path, ["one"]).runs("one")] == [1, 2]


def test_the_file_of_a_task_does_not_grow_without_end(tmp_path: Path) -> None:
    history = History(tmp_path, ["one"])
    for at_ns in range(3 * RUNS_MAX):
        history.note("one", run(at_ns))

    assert len(history.runs("one")) == RUNS_MAX
    assert len((tmp_path / "one.runs").read_bytes().splitlines()) <= RUNS_MAX + SPARE
    assert len(History(tmp_path, ["one"]).runs("one")) == RUNS_MAX


def test_what_is_old_goes_but_that_it_once_ended_well_is_known(tmp_path: Path) -> None:
    history = History(tmp_path, ["one"])
    history.note("one", run(1))
    for number in range(RUNS_MAX + 5):
        history.note("one", run(40 * NS_PER_DAY + number, How.CRASHED))

    assert len(history.runs("one")) == RUNS_MAX + 1
    assert History(tmp_path, ["one"]).has_ended_well("one")


def test_figures_beyond_all_measure_are_left_out(tmp_path: Path) -> None:
    history = History(tmp_path, ["one"])
    long = replace(run(1), measured={"x" * of_history.LINE_BYTES_MAX: 1.0})
    history.note("one", long)

    kept = History(tmp_path, ["one"]).last("one")

    assert kept == run(1)


def test_the_history_of_a_task_that_is_no_more_goes(tmp_path: Path) -> None:
    History(tmp_path, ["old"]).note("old", run(1))
    History(tmp_path, ["new"])
    assert not (tmp_path / "old.runs").exists()


def test_a_word_on_a_task_is_there_after_a_restart(tmp_path: Path) -> None:
    words = TaskWords(tmp_path / "words.json")
    assert words.is_on("one")
    words.set("one", Word(is_on=False, by="me", asked_at_ns=5))

    again = TaskWords(tmp_path / "words.json")

    assert not again.is_on("one")
    assert again.is_on("two")


@pytest.mark.parametrize("text", [b"", b"[]", b'{"one": 5}', b"\xff", b'{"one":{"is_on":1}}'])
def test_words_that_cannot_be_read_let_nothing_run(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "words.json"
    path.write_bytes(text)
    with pytest.raises(FatalError, match="remove it, and every background task is on"):
        TaskWords(path)
