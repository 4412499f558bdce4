"""A real PostgreSQL server for tests, and a proxy that cuts its connections at chosen moments."""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SOCKET_NAME = ".s.PGSQL.5432"
CHUNK_BYTES = 65_536
STOP_S = 60
SHARED = "ledger"
MODEL = "model"
END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid();"
)


@dataclass(slots=True)
class PostgresServer:
    """A running server; each test gets a database without a record."""

    server: Any
    socket_dir: str
    names: set[str] = field(default_factory=set)

    def make_model(self) -> str:
        """Create the database that those of the tests are copies of."""
        self.server.psql(f"CREATE DATABASE {MODEL};")
        return MODEL

    def make_database(self, *, is_own: bool = False, is_empty: bool = False) -> str:
        """Copy the model, or create an empty one; not an own one takes the place of the last."""
        name = f"own{len(self.names)}" if is_own else SHARED
        self.names.add(name)
        model = "template1" if is_empty else MODEL
        self.server.psql(
            f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\n"
            f"CREATE DATABASE {name} TEMPLATE {model};"
        )
        return name

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.socket_dir}"

    def end_connections(self, name: str) -> None:
        self.run(name, END_OTHERS)

    def run(self, name: str, sql: str) -> str:
        return str(self.server.psql(f"\\set QUIET\n\\connect {name}\n{sql}\n"))


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Start a server with a data directory of its own, and stop it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="ledger-postgres-"))
    directory.chmod(0o755)
    runtime = directory / "runtime"
    runtime.mkdir(mode=0o700)
    # The package reads this when it is imported, and warns without it.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    import pgserver.postgres_server  # noqa: PLC0415 - see above

    server = pgserver.postgres_server.get_server(directory / "files", cleanup_mode="stop")
    info: Any = server.get_postmaster_info()
    try:
        yield PostgresServer(server=server, socket_dir=str(info.socket_dir))
    finally:
        # An immediate stop: the files are thrown away, so nothing needs to be written out.
        postmaster = info.process
        os.kill(postmaster.pid, signal.SIGQUIT)
        postmaster.wait(STOP_S)
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(slots=True)
class CuttingProxy:
    """Forwards to a server; cuts a connection when a commit's reply is about to pass.

    Attributes:
        port: where clients connect.
        cuts_left: commits whose reply is still to be lost.
        is_away: refuse to forward anything.
        is_silent: swallow what the server answers on connections that are open by now.
        cuts: replies lost so far.
    """

    socket_path: str
    port: int = 0
    cuts_left: int = 0
    is_away: bool = False
    is_silent: bool = False
    cuts: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _silenced: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_away:
            writer.close()
            return
        server_reader, server_writer = await asyncio.open_unix_connection(self.socket_path)
        self._writers |= {writer, server_writer}
        committing = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._to_server(reader, server_writer, committing))
                tasks.create_task(self._to_client(server_reader, writer, committing))
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in (writer, server_writer):
                end.close()
                self._writers.discard(end)

    async def _to_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committing: asyncio.Event
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if b"COMMIT" in chunk:
                committing.set()
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committing: asyncio.Event
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if committing.is_set() and b"COMMIT" in chunk:
                committing.clear()
                if self.cuts_left:
                    # The server has committed; whoever asked never hears of it.
                    self.cuts_left -= 1
                    self.cuts += 1
                    raise ConnectionResetError
            if self.is_silent and writer in self._silenced:
                continue
            writer.write(chunk)
            await writer.drain()
        raise ConnectionResetError

    def silence(self) -> None:
        """Answer nothing more on the connections that are open by now; leave them open."""
        self._silenced = set(self._writers)
        self.is_silent = True

    def drop_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@asynccontextmanager
async def cutting_proxy(server: PostgresServer) -> AsyncIterator[CuttingProxy]:
    """Run a proxy in front of the server on a free port of the loopback."""
    proxy = CuttingProxy(socket_path=f"{server.socket_dir}/{SOCKET_NAME}")
    listener = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listener.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listener.close()
        proxy.drop_all()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await listener.wait_closed()
