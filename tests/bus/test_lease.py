import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.bus.lease import held_lease
from engine.domain.errors import FatalError, SupersededError

HOLDER = """
import sys, time
from pathlib import Path
from engine.bus.lease import held_lease
with held_lease(Path(sys.argv[1]), what="engine"):
    print("held", flush=True)
    time.sleep(600)
"""
ROOT = Path(__file__).resolve().parents[2]


def test_a_process_keeps_its_lease_while_it_is_stopped_and_loses_it_with_its_life(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run" / "engine.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGSTOP)

        with (
            pytest.raises(FatalError, match=f"another engine .process {holder.pid}. already runs"),
            held_lease(path, what="engine"),
        ):
            pass

        holder.kill()
        holder.wait()
        with held_lease(path, what="engine") as lease:
            assert lease.is_held()
            assert path.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("another_holds_it", [True, False])
def test_a_lease_whose_file_is_another_or_gone_is_not_held(
    tmp_path: Path, *, another_holds_it: bool
) -> None:
    path = tmp_path / "engine.lock"
    with held_lease(path, what="engine") as old:
        old.check()
        path.unlink()
        if another_holds_it:
            with held_lease(path, what="engine") as new:
                new.check()

        assert not old.is_held()
        with pytest.raises(SupersededError, match="was taken from this engine"):
            old.check()
