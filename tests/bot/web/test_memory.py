"""A key that is checked leaves nothing behind."""

import subprocess
import sys

MB_MAX = 4

_CHECKS = """
import threading
from argon2 import PasswordHasher
from psutil import Process
from bot.web.memory import give_back_what_is_large

give_back_what_is_large()
hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
made = hasher.hash("x")
before = Process().memory_info().rss
checked = threading.Thread(target=hasher.verify, args=(made, "x"))
checked.start()
checked.join()
print((Process().memory_info().rss - before) / 1_048_576)
"""


def test_the_memory_of_a_checked_key_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", _CHECKS], check=True, capture_output=True)

    assert float(ran.stdout) < MB_MAX
