"""The shared price matrix between real processes, and when they are killed."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.market.matrix_block import run_hash
from engine.market.matrix_file import BlockReplacedError, RowBusyError, WriterGoneError
from engine.market.matrix_reader import PriceMatrixReader
from tests.market.matrix_process import ROWS, is_whole, make_matrix, show_book, show_pool
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]

COMPILED = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
"""Processes that write and read at full speed do so compiled, whatever this one does."""

STARTER = """
import subprocess, sys, time
from pathlib import Path
from tests.market.test_matrix_processes import command
path = Path(sys.argv[1])
held = {"close_fds": False, "stdin": subprocess.DEVNULL}
writer = subprocess.Popen(command("hammer", path), stdout=subprocess.PIPE, **held)
writer.stdout.readline()
reader = subprocess.Popen(command("read", path, "1000000000"), stdout=subprocess.PIPE, **held)
reader.stdout.readline()
print("reading", flush=True)
time.sleep(1000)
"""
"""Starts a writer and a reader that never has enough, and lets them inherit its open files."""

Calls = tuple[Callable[[], object], ...]


def command(role: str, path: Path, *rest: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "tests.market.matrix_process",
        role,
        str(path),
        str(os.getpid()),
        *rest,
    ]


@contextmanager
def started(role: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a writer, wait until it says that it is ready, and kill it at the end."""
    with subprocess.Popen(
        command(role, path),
        cwd=ROOT,
        env=COMPILED,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextmanager
def reading(path: Path, versions: int) -> Iterator[subprocess.Popen[str]]:
    """Start a reader that ends by itself, and kill it if it does not."""
    with subprocess.Popen(
        command("read", path, str(versions)),
        cwd=ROOT,
        env=COMPILED,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("versions", [250, pytest.param(1_000, marks=pytest.mark.campaign)])
def test_no_copy_is_torn_while_another_process_writes(tmp_path: Path, versions: int) -> None:
    path = tmp_path / "prices"
    with (
        started("hammer", path) as writer,
        reading(path, versions) as one,
        reading(path, versions) as other,
    ):
        said = [reader.communicate(timeout=PATIENCE_S)[0] for reader in (one, other)]
        own = PriceMatrixReader.open(path)
        writer.send_signal(signal.SIGKILL)
        writer.wait(timeout=PATIENCE_S)

        assert writer.stderr is not None
        assert writer.stderr.read() == ""

    for counts in (json.loads(text.splitlines()[-1]) for text in said):
        assert counts["seen"] == versions  # the writer was at work all the while
        assert counts["torn"] == counts["backwards"] == 0
        assert counts["apart"] == counts["missed"] == 0
    assert not own.is_writer_alive()
    for row in range(ROWS):
        try:
            assert is_whole(own.row(row))
        except WriterGoneError:
            assert own.table["sequence"][row] % 2 == 1
    assert list(tmp_path.iterdir()) == [path]
    own.close()


@pytest.mark.campaign
@pytest.mark.slow
def test_no_process_of_these_tests_outlives_who_started_it(tmp_path: Path) -> None:
    """A test run that is killed closes no context: its readers and writers must see it."""
    path = tmp_path / "prices"
    read_end, write_end = os.pipe()
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(path)],
        cwd=ROOT,
        env=COMPILED,
        stdout=subprocess.PIPE,
        pass_fds=[write_end],
    )
    os.close(write_end)
    with starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"reading\n"
        starter.kill()

    # The pipe's other end is held by the writer and the reader: it ends when both have.
    with os.fdopen(read_end, "rb") as held:
        ready, _, _ = select.select([held], [], [], PATIENCE_S)
        assert ready == [held]
        assert held.read() == b""


@pytest.mark.slow
def test_wherever_a_writer_and_a_reader_meet_the_copy_is_whole_and_no_change_is_missed() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.market.matrix_interleaved"],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE_S,
    )

    found = json.loads(ended.stdout)
    assert found["torn"] == found["missed"] == found["apart"] == 0
    of_pools = (ROWS - 1) * 3  # reserves and tick, which a book has not
    assert found["stores"] == ROWS * 18 + of_pools
    assert found["busy"] == ROWS * 15 + of_pools  # at every step between first store and last
    assert found["loads"] > 100


@pytest.mark.slow
def test_a_writer_killed_within_a_row_is_an_error_in_bounded_time_and_the_next_takes_over(
    tmp_path: Path,
) -> None:
    path = tmp_path / "prices"
    with started("stop_halfway", path) as writer:
        reader = PriceMatrixReader.open(path, wait_ns_max=30_000_000)

        assert is_whole(reader.row(0))
        assert is_whole(reader.row(2))
        asks: Calls = (lambda: reader.row(1), reader.rows, lambda: reader.rows_together([2, 1]))
        for ask in asks:
            began_s = time.monotonic()
            with pytest.raises(RowBusyError, match=f"30 ms; its writer, process {writer.pid}"):
                ask()
            assert time.monotonic() - began_s < PATIENCE_S
        with pytest.raises(FatalError, match="another engine writes the price matrix"):
            make_matrix(path)

        writer.kill()
        writer.wait(timeout=PATIENCE_S)

    began_s = time.monotonic()
    asks = (lambda: reader.row(1), reader.rows, reader.check_writer)
    for ask in asks:
        with pytest.raises(WriterGoneError, match="start the engine"):
            ask()
    with pytest.raises(WriterGoneError):
        PriceMatrixReader.open(path)
    assert time.monotonic() - began_s < PATIENCE_S

    version = reader.version()
    board, matrix = make_matrix(path, pools=ROWS + 50, run_id="next")
    asks = (lambda: reader.row(0), lambda: reader.row(1), reader.rows, reader.check_writer)
    for ask in asks:
        with pytest.raises(BlockReplacedError, match=f"generation {matrix.generation}"):
            ask()
    with pytest.raises(BlockReplacedError):
        reader.changed_since(0)
    following = PriceMatrixReader.open(path)
    assert following.generation == matrix.generation > reader.generation
    assert following.run == run_hash("next")
    assert following.version() > version
    assert not any(row["is_live"] for row in following.rows())
    show_book(board, matrix, 9)
    show_pool(matrix, 1, 9)
    assert is_whole(following.row(0))
    assert is_whole(following.row(1))
    for one in (reader, following, matrix):
        one.close()
