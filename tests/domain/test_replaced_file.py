"""What was replaced never comes back: bytes, then the name, then the folder are on disk."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.web.api_keys import ApiKeys
from bot.web.hooks.endpoints import Endpoints
from engine.domain.people import Rank
from engine.domain.replaced_file import replace_file
from engine.operate.kill_latch import KillLatch
from engine.signing.kept_file import KeptFile

Step = tuple[str, str]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """What is done to the disk, in its order: what was synced, or what got which name."""
    done: list[Step] = []
    sync, rename = os.fsync, Path.replace

    def synced(file: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(file).st_mode)
        done.append(("synced", "folder" if is_folder else "file"))
        sync(file)

    def named(path: Path, target: Path) -> Path:
        done.append(("named", target.name))
        return rename(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", named)
    return done


def _key(folder: Path) -> str:
    ApiKeys(folder).add("laptop", Rank.VIEWER, clock=lambda: 1)
    return "keys.json"


def _endpoint(folder: Path) -> str:
    Endpoints(folder).add("base", "moralis", "", "a long secret")
    return "hooks.json"


def _kept(folder: Path) -> str:
    KeptFile(folder / "kept.json", int, mend="go on").keep("one", 1)
    return "kept.json"


def _latch(folder: Path) -> str:
    KillLatch(folder).kill(by="operator", why="test")
    return "kill-latch"


@pytest.mark.parametrize("put", [_key, _endpoint, _kept, _latch])
def test_bytes_are_synced_before_they_have_the_name_and_the_name_after(
    put: Callable[[Path], str], tmp_path: Path, steps: list[Step]
) -> None:
    name = put(tmp_path)

    assert steps == [("synced", "file"), ("named", name), ("synced", "folder")]
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept"
    replace_file(path, b"old")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new")

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
