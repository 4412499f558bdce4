import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.storage.database import parse_url
from engine.storage.ledger import LedgerSettings
from engine.storage.migrate import migrate
from tests.storage.makers import NOW_NS
from tests.storage.model import empty_ledger
from tests.storage.servers import PostgresServer, running_postgres

NOTE = "recorded markets"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with running_postgres() as server:
        url = server.url(server.make_model())
        settings = LedgerSettings(data_dir=tmp_path_factory.mktemp("model"), url=url)
        asyncio.run(migrate("up", settings=settings))
        yield server


@pytest.fixture(scope="session")
def sqlite_model() -> Path:
    """An empty database of today's schema."""
    return empty_ledger()


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now_ns: int = NOW_NS

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


def with_model(settings: LedgerSettings, model: Path) -> LedgerSettings:
    settings.data_dir.mkdir(mode=0o700)
    shutil.copy(model, parse_url(settings).database or "")
    return settings


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Settings of a database of each kind without a record."""
    data_dir = tmp_path / "var"
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.url(server.make_database())
        return LedgerSettings(data_dir=data_dir, url=url, market_note=NOTE)
    made = LedgerSettings(data_dir=data_dir, market_note=NOTE)
    return with_model(made, request.getfixturevalue("sqlite_model"))


@pytest.fixture(params=["sqlite", "postgres"])
def bare_settings(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Settings of a database of each kind with nothing in it."""
    url = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.url(server.make_database(is_empty=True))
    return LedgerSettings(data_dir=tmp_path / "var", url=url, market_note=NOTE)


@pytest.fixture
def bare_sqlite_settings(tmp_path: Path) -> LedgerSettings:
    return LedgerSettings(data_dir=tmp_path / "var")


@pytest.fixture
def sqlite_settings(tmp_path: Path, sqlite_model: Path) -> LedgerSettings:
    return with_model(LedgerSettings(data_dir=tmp_path / "var"), sqlite_model)


@pytest.fixture
def postgres_settings(tmp_path: Path, postgres: PostgresServer) -> LedgerSettings:
    url = postgres.url(postgres.make_database())
    return LedgerSettings(data_dir=tmp_path / "var", url=url)
