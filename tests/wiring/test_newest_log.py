"""The newest warnings and errors of all roles: from real lines, in order, without a secret."""

import io
import logging
from pathlib import Path

import pytest

from engine.domain.redaction import remember_secrets
from engine.operate.logs import LogFormatter
from engine.wiring.newest_log import TAIL_BYTES, read_newest


def write(path: Path, form: str, *levels: int, said: str = "said") -> None:
    """Write records as a role does."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogFormatter(form))  # type: ignore[arg-type]
    logger = logging.getLogger(f"engine.test.{path.stem}")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    for number, level in enumerate(levels):
        logger.log(level, "%s %d", said, number)
    path.write_text(stream.getvalue())


@pytest.mark.parametrize("form", ["text", "json"])
def test_warnings_and_errors_of_all_roles_are_in_order_and_nothing_else(
    tmp_path: Path, form: str
) -> None:
    levels = (logging.INFO, logging.WARNING, logging.DEBUG, logging.ERROR)
    write(tmp_path / "engine.log", form, *levels, said="engine")
    write(tmp_path / "ledger.log", form, logging.INFO, logging.ERROR, said="ledger")

    found = read_newest(tmp_path, 10)

    assert [line.partition(" ")[2].partition(" [")[0].strip() for line in found] == [
        "engine: engine 1",
        "engine: engine 3",
        "ledger: ledger 1",
    ]
    assert read_newest(tmp_path, 1) == found[-1:]


def test_no_secret_that_is_known_is_shown(tmp_path: Path) -> None:
    write(tmp_path / "bot.log", "text", logging.ERROR, said="plain")
    path = tmp_path / "bot.log"
    path.write_text(path.read_text().replace("plain", "hunter2-secret-word"))
    remember_secrets(["hunter2-secret-word"])

    assert "hunter2" not in "".join(read_newest(tmp_path, 10))


def test_only_the_end_of_a_large_log_is_read_and_no_half_line(tmp_path: Path) -> None:
    line = "2026-11-29T12:00:00.000000Z [warning  ] old [engine.x]\n"
    newest = "2026-11-29T12:00:01.000000Z [error    ] new [engine.x]\n"
    (tmp_path / "engine.log").write_text(line * (3 * TAIL_BYTES // len(line)) + newest)

    found = read_newest(tmp_path, 100_000)

    assert len(found) <= TAIL_BYTES // len(line) + 1
    assert found[-1].startswith("12:00:01 engine: new")


def test_a_folder_without_logs_has_none(tmp_path: Path) -> None:
    assert read_newest(tmp_path / "none", 5) == []
