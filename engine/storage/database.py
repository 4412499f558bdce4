"""A database as the writer sees it: one connection, and what each failure of it means."""

from typing import Protocol

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.errors import BadValueError, SyndicateError
from engine.storage.ledger_settings import DATABASE_NAME, LedgerSettings


class Database(Protocol):
    """One database, whose single connection the writer owns."""

    is_sqlite: bool
    shown: str
    """Where it is, without a password."""
    transaction_s: float | None
    """Longest run of a transaction; None for no bound."""

    async def connect(self) -> AsyncConnection:
        """Open the connection, set it up and check what the ledger relies on.

        Raises:
            FatalError: the database cannot be relied on; the text says why and what to do.
            TransientError: it is away.
        """
        ...

    def translate(self, error: BaseException) -> SyndicateError:
        """Say what a failure means: try again, stop, or refuse the request.

        Returns:
            `TransientError` to run the transaction again, `FatalError` to stop, `BadValueError`
            for a request that the database refuses while it is well.
        """
        ...

    async def tidy(self, connection: AsyncConnection) -> None:
        """Do what else a commit would do now and then, while nobody waits for one."""
        ...

    async def disconnect(self) -> None:
        """Drop the connection, whatever its state; never raises."""
        ...


def parse_url(settings: LedgerSettings) -> URL:
    """Parse the database's address and choose the driver.

    Raises:
        BadValueError: no address, or one that names no supported database or no file.
    """
    text = settings.url or f"sqlite:///{settings.data_dir.absolute() / DATABASE_NAME}"
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise BadValueError(
            "the database URL cannot be read; write sqlite:///PATH or postgresql://USER@HOST/NAME"
        ) from error
    backend = url.get_backend_name()
    if backend == "sqlite":
        if not url.database or ":memory:" in url.database or url.query:
            raise BadValueError(
                f"the database URL {text!r} must name a file and no options: sqlite:///PATH"
            )
        return url.set(drivername="sqlite+aiosqlite")
    if backend == "postgresql":
        return url.set(drivername="postgresql+asyncpg")
    raise BadValueError(
        f"the database URL names {backend}; only sqlite and postgresql are supported"
    )


def refused_value(error: BaseException) -> BadValueError | None:
    """Return the error as a refusal if a value in the statement caused it, else None."""
    cause = error.orig if isinstance(error, StatementError) else error
    if isinstance(cause, BadValueError):
        return cause
    if isinstance(cause, OverflowError | UnicodeError | TypeError | ValueError):
        return BadValueError(f"the database cannot store a value: {cause}")
    return None
