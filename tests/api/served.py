"""A whole installation on the sandbox with its gateway, and keys for it."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.web.api_keys import ApiKeys
from engine.domain.people import Rank
from engine.operate.supervisor import Supervisor
from engine.settings.schema import DataSettings, GatewaySettings, Settings
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs, supervisor_lease
from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Served:
    """Where it is.

    Attributes:
        pid: of the gateway.
    """

    base: str
    keys: list[str]
    supervisor: Supervisor

    @property
    def pid(self) -> int:
        """The process that serves."""
        return self.supervisor.pids()["gateway"]


@contextlib.asynccontextmanager
async def served(folder: Path, *, rank: Rank, keys: int) -> AsyncIterator[Served]:
    """Run all roles, as `make run` does; who asks is who `X-Forwarded-For` names."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(
        data=DataSettings(dir=str(folder)),
        gateway=GatewaySettings(is_on=True, port=port, trusts_proxy=True),
    )
    paths = prepare(str(folder))
    store = ApiKeys(paths.gateway)
    made = [store.add(f"user-{number}", rank, clock=time.time_ns) for number in range(keys)]
    supervisor = Supervisor(
        role_specs(settings, paths, has_bot=False),
        on_restart=lambda role, why, _: print(f"{role} was started again: {why}", file=sys.stderr),
    )
    end = asyncio.Event()
    with supervisor_lease(paths):
        running = asyncio.create_task(supervisor.run(end, on_ready=lambda: None))
        try:
            base = f"http://127.0.0.1:{port}"
            await _until_served(base, made[0])
            yield Served(base=base, keys=made, supervisor=supervisor)
        finally:
            end.set()
            await running


async def _until_served(base: str, key: str) -> None:
    """Wait until gateway and engine answer."""
    headers = {"Authorization": f"Bearer {key}"}
    async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(f"{base}/v1/venues", headers=headers) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(1.0)  # no more often than it may be asked
