"""A key that is checked leaves nothing behind, and what few need is not there."""

import subprocess
import sys
from typing import cast

from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from bot.web.route import Asked
from bot.web.watching import watching_routes

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


def test_what_few_need_is_not_loaded() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import bot.web.__main__, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(told.stdout.split())
    heavy = ("cryptography", "jwt", "numpy", "sqlalchemy", "websockets", "engine.chains.pending")
    assert [one for one in heavy if one in loaded] == []


async def test_the_description_is_made_once_and_its_bytes_are_those_of_all_answers() -> None:
    made: list[dict[str, str]] = []

    def describe() -> dict[str, str]:
        made.append({"openapi": "3.1.0"})
        return made[-1]

    route = next(one for one in watching_routes(describe) if one.operation == "describe")
    asked = Asked(request=make_mocked_request("GET", route.path), principal=None, address="a")
    first, second = [cast("web.Response", await route.handler(asked)) for _ in range(2)]
    assert made == [{"openapi": "3.1.0"}]
    assert first.body == second.body == b'{"openapi":"3.1.0"}'
