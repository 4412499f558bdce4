"""PostgreSQL as the money database, by URL, with the same single connection and transactions."""

import asyncio
from contextlib import suppress

import asyncpg
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from engine.domain.errors import BadValueError, FatalError, SyndicateError, TransientError
from engine.storage.database import refused_value

CONNECT_S = 5.0
DISCONNECT_S = 2.0
LEDGER_LOCK = 0x53594E44
"""Number of the advisory lock that the one ledger of a database holds."""

_AGAIN = ("08", "40", "53300", "55P03", "57P")
"""Classes of SQLSTATE that end with the connection or the transaction: run it again."""

_REFUSED = ("22", "23")
_FATAL = {
    "53100": ("its disk is full", "free space on the server and start again"),
    "58": ("its disk failed", "check the server's disk and log, then start again"),
    "XX": ("its files are damaged or it met a bug", "check the server's log, restore a backup"),
    "25006": ("it is read-only", "point the URL to the primary server"),
    "28": ("it refuses the user or password", "correct the database URL"),
    "3D": ("it has no such database", "create the database or correct the URL"),
    "42501": ("the user lacks a privilege", "grant it and start again"),
}


class PostgresDatabase:
    """A PostgreSQL database."""

    is_sqlite: bool = False

    def __init__(self, *, url: URL, transaction_s: float) -> None:
        self.transaction_s: float | None = transaction_s
        self.shown = url.render_as_string(hide_password=True)
        self._engine = create_async_engine(
            url, poolclass=NullPool, connect_args={"timeout": CONNECT_S}
        )
        self._connection: AsyncConnection | None = None

    async def connect(self) -> AsyncConnection:
        """Connect, refuse a server that acknowledges before it syncs, and take the lock."""
        try:
            async with asyncio.timeout(CONNECT_S):
                self._connection = await self._engine.connect()
                await self._check_settings(self._connection)
                await self._take_lock(self._connection)
                await self._connection.commit()
        except (
            SQLAlchemyError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            OSError,
            SyndicateError,
        ) as error:
            await self.disconnect()
            raise self.translate(error) from error
        return self._connection

    def translate(self, error: BaseException) -> SyndicateError:
        """Say what a failure means; a lost connection leaves a commit's outcome unknown."""
        refused = refused_value(error)
        if refused is not None:
            return refused
        if isinstance(error, SyndicateError):
            return error
        state = str(getattr(getattr(error, "orig", error), "sqlstate", "") or "")
        if isinstance(error, IntegrityError) or state.startswith(_REFUSED):
            return BadValueError(f"the ledger's rules refuse a record: {_first_line(error)}")
        why = _FATAL.get(state[:2], _FATAL.get(state))
        if why is None and (_is_lost(error) or state.startswith(_AGAIN)):
            return TransientError(f"the database {self.shown} is away: {_first_line(error)}")
        cause, advice = why or ("it refuses a statement", "check the server's log")
        return FatalError(
            f"the ledger cannot use {self.shown}: {cause} ({_first_line(error)}); {advice}"
        )

    async def tidy(self, connection: AsyncConnection) -> None:
        """Leave that to the server."""

    async def disconnect(self) -> None:
        """Drop the connection without waiting for a server that may be gone."""
        connection, self._connection = self._connection, None
        with suppress(SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            async with asyncio.timeout(DISCONNECT_S):
                if connection is not None:
                    await connection.invalidate()
                    await connection.close()
        await self._engine.dispose()

    async def _check_settings(self, connection: AsyncConnection) -> None:
        for name in ("synchronous_commit", "fsync"):
            value = (await connection.execute(text(f"SHOW {name}"))).scalar_one()
            if value == "off":
                raise FatalError(
                    f"the server of {self.shown} has {name}=off and would lose acknowledged "
                    f"records when it crashes; set {name}=on"
                )
        if (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on":
            what, remedy = _FATAL["25006"]
            raise FatalError(f"the server of {self.shown} cannot be used: {what}; {remedy}")

    async def _take_lock(self, connection: AsyncConnection) -> None:
        taken = await connection.execute(
            text("SELECT pg_try_advisory_lock(:number)"), {"number": LEDGER_LOCK}
        )
        if taken.scalar_one():
            return
        holder = await connection.execute(
            text(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = "
                ":number AND database = (SELECT oid FROM pg_database WHERE datname = "
                "current_database())"
            ),
            {"number": LEDGER_LOCK},
        )
        # The server may not have noticed yet that our own last connection broke, hence transient.
        raise TransientError(
            f"another ledger already uses {self.shown} (server process {holder.scalar()}); "
            "stop it first, or use another database"
        )


def _is_lost(error: BaseException) -> bool:
    """Say whether the connection broke; a server that is well answers with a state."""
    if isinstance(error, DBAPIError):
        has_state = bool(getattr(error.orig, "sqlstate", None))
        return error.connection_invalidated or not has_state
    return isinstance(error, OSError | asyncpg.InterfaceError)


def _first_line(error: BaseException) -> str:
    shown = getattr(error, "orig", None) or error
    lines = str(shown).splitlines()
    return lines[0].rpartition(">: ")[2] if lines else type(shown).__name__
