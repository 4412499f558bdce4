"""Background work on a disk that is really full: states of before stand, what was lost is told."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from engine.background.run import Keeper
from engine.background.sealed import Kind
from engine.background.task_files import TaskFiles
from engine.domain.modes import Basis
from engine.domain.runs import How
from tests.background import nurseries
from tests.background.patient_tasks import FLAG
from tests.background.sample_tasks import PRIMES, CountState
from tests.scenarios.broken_disks import fill, mount_small

RUN = b"r" * 16
LARGE = list(range(20_000))
"""So many numbers need more pages than the state has that was kept before."""


def step_kept(files: TaskFiles) -> int:
    found, faults = files.page(Kind.STATE)
    assert found is not None
    assert faults == []
    return msgspec.msgpack.decode(found.content, type=CountState).at


@pytest.mark.own_mounts
def test_a_state_without_room_leaves_the_one_before_and_is_kept_once_there_is_some(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "small"
    mount_small(folder, size="2m")
    files, remarks = TaskFiles(folder, PRIMES, basis=Basis.SANDBOX), list[str]()
    with files.open_page(Kind.STATE) as page:
        keep = Keeper(page, PRIMES, RUN, remarks, least_s=0.0)
        keep(CountState(1, []))
        ballast = fill(folder)
        for step in (2, 3):
            keep(CountState(step, LARGE))
        assert step_kept(files) == 1
        (remark,) = remarks
        assert "No space left on device" in remark
        ballast.unlink()

        keep(CountState(4, LARGE))

    assert step_kept(files) == 4


@pytest.mark.own_mounts
async def test_a_run_without_room_for_its_outcome_says_so_and_ends_well_once_there_is_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, flag = tmp_path / "small", tmp_path / "flag"
    mount_small(folder, size="2m")
    monkeypatch.setenv(FLAG, str(flag))
    flag.touch()
    given = nurseries.given()
    async with nurseries.opened(folder, nurseries.PATIENT) as open_:
        running = asyncio.create_task(open_.nursery.run(PRIMES, given))
        while nurseries.files_of(open_, PRIMES).page(Kind.STATE)[0] is None:
            await asyncio.sleep(0.01)
        ballast = fill(folder)
        flag.unlink()
        full = await running
        with pytest.raises(OSError, match="No space left on device"):
            await open_.nursery.run(PRIMES, given)
        ballast.unlink()
        again = await open_.nursery.run(PRIMES, given)

    assert (full.how, full.outcome) == (How.CRASHED, None)
    assert "its outcome could not be kept: there is no room" in full.why
    assert again.how is How.DONE
    assert nurseries.same(PRIMES, again.outcome, nurseries.plainly(PRIMES, given))
