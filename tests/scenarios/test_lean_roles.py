"""Each process loads the large libraries that it needs, and no others: all share one memory."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.rig import CALM, ROLES, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

NEEDED_BY: Final = {
    "numba": {"engine"},
    "sqlalchemy": {"ledger"},
    "asyncpg": set(),
    "telegram": {"bot"},
    "matplotlib": set(),
    "web3": set(),
    "py_ecc": set(),
    "redis": set(),
    "prometheus_client": set(),
    "apprise": set(),
}
"""Roles that load a library; a role that begins to need one is added here, with its cost in
`docs/decisions/0018-libraries-that-wait.md`."""


async def test_a_role_loads_the_large_libraries_that_it_needs_and_no_others(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            speed=CALM,
            PYTHONPROFILEIMPORTTIME="1",
            SYNDICATE_WORKERS_IS_ON="true",
        ) as installation,
    ):
        await installation.until_live()
        await installation.say("/status", "Latency")
        await installation.say("/health", "Health: ")

    logs = {role: data_dir / "logs" / f"{role}.log" for role in (*ROLES, "workers")}
    loaded = {role: _loaded(path) for role, path in logs.items()}
    loaded["supervisor"] = _loaded(tmp_path / "var.log")
    assert all("asyncio" in names for names in loaded.values())
    found = {
        library: {role for role, names in loaded.items() if library in names}
        for library in NEEDED_BY
    }
    assert found == NEEDED_BY


def _loaded(log: Path) -> set[str]:
    return set(re.findall(r"^import time:.*\| +(\S+)$", log.read_text(), re.MULTILINE))
