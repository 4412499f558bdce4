"""The fork server is idle work, in a group of nothing else."""

import subprocess
import sys


def test_the_fork_server_is_idle_work_and_leads_a_group_of_its_own() -> None:
    code = """
import os
from engine.background.fork_server import become_background
become_background(is_idle=True)
print(os.getpgid(0) == os.getpid(), os.sched_getscheduler(0) == os.SCHED_IDLE)
print(os.getpriority(os.PRIO_PROCESS, 0))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "True", "19"]
