from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.storage.ledger import LedgerSettings
from tests.storage.makers import NOW_NS
from tests.storage.servers import PostgresServer, running_postgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now_ns: int = NOW_NS

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> LedgerSettings:
    """Settings of an empty database of each kind."""
    url = ""
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.url(server.make_database())
    return LedgerSettings(data_dir=tmp_path / "var", url=url, market_note="recorded markets")


@pytest.fixture
def sqlite_settings(tmp_path: Path) -> LedgerSettings:
    return LedgerSettings(data_dir=tmp_path / "var")


@pytest.fixture
def postgres_settings(tmp_path: Path, postgres: PostgresServer) -> LedgerSettings:
    url = postgres.url(postgres.make_database())
    return LedgerSettings(data_dir=tmp_path / "var", url=url)
