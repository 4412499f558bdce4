from pathlib import Path

import pytest

from engine.domain.errors import FatalError
from engine.operate.kill_latch import KillLatch
from engine.wiring.paths import prepare


def test_a_new_installation_starts_with_a_clear_latch(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path / "new"))

    assert not KillLatch(paths.data_dir).is_killed()


def test_a_latch_removed_later_stays_killed_over_a_restart(tmp_path: Path) -> None:
    paths = prepare(str(tmp_path))
    KillLatch(paths.data_dir).path.unlink()

    prepare(str(tmp_path))

    assert KillLatch(paths.data_dir).is_killed()


def test_a_directory_that_cannot_be_written_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(FatalError, match=r"cannot be written.*SYNDICATE_DATA_DIR"):
        prepare(str(file / "below"))


def test_a_path_too_long_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FatalError, match="too long"):
        prepare(str(tmp_path / ("x" * 120)))
