"""A data folder of another user, as Docker makes one, is refused with the command that mends it."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.operate import exit_codes
from tests.scenarios.rig import ROOT, environment
from tests.storage.model import prepared

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

USER = 10001
AS_USER = (
    "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all",
    "--bounding-set=-all", sys.executable,
)  # fmt: skip


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return a folder that is root's, where the user of the container gets at least to."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder for another user")
    if subprocess.run([*AS_USER, "-c", "import numba"], check=False).returncode:
        pytest.skip("another user cannot run this Python")
    parent = Path(tempfile.mkdtemp(prefix="foreign"))
    parent.chmod(0o755)
    (parent / "var").mkdir()
    (parent / "var").chmod(0o755)
    yield parent / "var"
    shutil.rmtree(parent)


async def _run_as_user(data_dir: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *AS_USER, "-m", "engine", *arguments,
        cwd=data_dir.parent, env=environment(data_dir) | {"HOME": "/nowhere"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode()


def _close(folder: Path) -> None:
    folder.chmod(0o700)


def _mend_as_told(said: str) -> None:
    command = re.search(r"as root: (\S.*?)(?: \(with compose|, or choose)", said)
    assert command is not None, said
    subprocess.run(command.group(1), shell=True, check=True)  # noqa: S602 - as a person would paste it


async def test_a_folder_of_root_is_refused_with_the_command_that_mends_it(data_dir: Path) -> None:
    code, said = await _run_as_user(data_dir, "run")

    assert code == exit_codes.FATAL
    assert f"as root: chown -R {USER} {data_dir} " in said
    assert "Traceback" not in said
    _mend_as_told(said)
    assert (await _run_as_user(data_dir, "migrate"))[0] == exit_codes.OK


async def test_files_of_root_in_the_users_own_folder_are_refused_alike(data_dir: Path) -> None:
    prepared(data_dir)
    os.chown(data_dir, USER, USER)
    os.chown(data_dir / "run", USER, USER)

    code, said = await _run_as_user(data_dir, "run")

    assert code == exit_codes.FATAL
    assert "is another user's" in said
    _mend_as_told(said)
    assert (await _run_as_user(data_dir, "migrate"))[0] == exit_codes.OK


async def test_a_folder_that_cannot_be_made_is_refused_with_the_command_that_makes_it(
    data_dir: Path,
) -> None:
    code, said = await _run_as_user(data_dir / "new", "run")

    assert code == exit_codes.FATAL, said
    assert f"as root: install -d -o {USER} -m 0700 {data_dir / 'new'}" in said
    _mend_as_told(said)
    assert (await _run_as_user(data_dir / "new", "migrate"))[0] == exit_codes.OK


async def test_settings_in_a_folder_that_may_not_be_entered_are_said(data_dir: Path) -> None:
    _close(data_dir)

    code, said = await _run_as_user(data_dir / "new", "run")

    assert code == exit_codes.BROKEN_SETTINGS, said
    assert f"{data_dir / '.env'} cannot be read: Permission denied" in said
    assert "Traceback" not in said


async def test_what_compose_runs_first_gives_the_folder_to_the_program_at_every_start(
    data_dir: Path,
) -> None:
    prepared(data_dir)

    for _ in range(2):
        _do_as_compose_does(data_dir)
        code, said = await _run_as_user(data_dir, "migrate")
        assert code == exit_codes.OK, said


def _do_as_compose_does(data_dir: Path) -> None:
    compose = (ROOT / "compose.yaml").read_text()
    found = re.search(r'command: \["chown", (.+), "/data"\]', compose)
    added = re.search(r"cap_add: \[(.+)\]", compose)
    assert found is not None
    assert added is not None
    capabilities = ",".join(f"+{name.strip().lower()}" for name in added.group(1).split(","))
    arguments = [text.strip(' "') for text in found.group(1).split(",")]
    as_compose = ["setpriv", f"--bounding-set=-all,{capabilities}", "chown", *arguments]
    subprocess.run([*as_compose, str(data_dir)], check=True)
