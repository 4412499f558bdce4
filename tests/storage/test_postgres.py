"""PostgreSQL: a lost connection never loses, doubles or halves a record."""

import asyncio
import dataclasses
from pathlib import Path

import pytest

from engine.bus.reports import InboxStored
from engine.domain.errors import FatalError, TransientError
from engine.requests.chat import PutInbox
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.patience import PATIENCE_S
from tests.storage import makers
from tests.storage.asking import append, ask, notices, trades
from tests.storage.conftest import Clock
from tests.storage.servers import SHARED, CuttingProxy, PostgresServer, cutting_proxy


def _through(proxy: CuttingProxy, name: str, data_dir: Path) -> LedgerSettings:
    return LedgerSettings(
        data_dir=data_dir,
        url=f"postgresql://postgres:secret@127.0.0.1:{proxy.port}/{name}",
        attempts_max=3,
    )


async def test_a_commit_whose_reply_was_lost_is_stored_exactly_once(
    postgres: PostgresServer, tmp_path: Path, clock: Clock
) -> None:
    async with cutting_proxy(postgres) as proxy:
        settings = _through(proxy, postgres.make_database(), tmp_path)
        async with open_ledger(settings, clock=clock) as ledger:
            for number in range(4):
                proxy.cuts_left = 1
                await append(
                    ledger,
                    makers.make_opportunity_record(number=number),
                    makers.make_execution_record(number=number),
                    makers.make_notice_record(number=number),
                    makers.make_state_record(number=number),
                )

            stored, news = await trades(ledger), await notices(ledger)

    assert proxy.cuts == 4
    assert stored.total == 4
    assert [stamped.notice for stamped in news.notices] == [
        makers.make_notice(number=number) for number in range(4)
    ]


async def test_a_connection_ended_by_the_server_is_opened_again(
    postgres_settings: LedgerSettings, postgres: PostgresServer, clock: Clock
) -> None:
    async with open_ledger(postgres_settings, clock=clock) as ledger:
        await append(ledger, makers.make_execution_record(number=1))
        postgres.end_connections(SHARED)
        await append(ledger, makers.make_execution_record(number=2))

        assert (await trades(ledger)).total == 2


async def test_a_server_that_is_away_is_said_to_be_and_used_again_when_back(
    postgres: PostgresServer, tmp_path: Path, clock: Clock
) -> None:
    async with cutting_proxy(postgres) as proxy, asyncio.timeout(PATIENCE_S):
        settings = _through(proxy, postgres.make_database(), tmp_path)
        async with open_ledger(settings, clock=clock) as ledger:
            proxy.is_away = True
            proxy.drop_all()
            with pytest.raises(TransientError, match="is away") as caught:
                await append(ledger, makers.make_execution_record())
            assert "secret" not in str(caught.value)
            proxy.is_away = False

            await append(ledger, makers.make_execution_record())
            assert (await trades(ledger)).total == 1


async def test_a_connection_that_falls_silent_is_given_up_in_bounded_time(
    postgres: PostgresServer, tmp_path: Path, clock: Clock
) -> None:
    name = postgres.make_database()
    async with cutting_proxy(postgres) as proxy, asyncio.timeout(PATIENCE_S):
        settings = dataclasses.replace(_through(proxy, name, tmp_path), transaction_s=0.3)
        async with open_ledger(settings, clock=clock) as ledger:
            proxy.silence()
            # The server cannot know that its client is gone until the connection is reset.
            asyncio.get_running_loop().call_later(0.6, postgres.end_connections, name)
            await append(ledger, makers.make_execution_record())

            assert (await trades(ledger)).total == 1


async def test_a_server_that_never_was_there_is_said_to_be_away(
    tmp_path: Path, clock: Clock
) -> None:
    settings = LedgerSettings(
        data_dir=tmp_path, url="postgresql://u:secret@127.0.0.1:1/none", attempts_max=2
    )
    with pytest.raises(TransientError, match="is away") as caught:
        async with open_ledger(settings, clock=clock):
            pytest.fail("the ledger opened")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("synchronous_commit = off", "set synchronous_commit=on"),
        ("default_transaction_read_only = on", "point the URL to the primary server"),
    ],
)
async def test_a_server_that_cannot_keep_money_is_refused(
    postgres: PostgresServer, tmp_path: Path, clock: Clock, setting: str, sentence: str
) -> None:
    name = postgres.make_database(is_own=True)
    postgres.run(name, f"ALTER DATABASE {name} SET {setting};")

    settings = LedgerSettings(data_dir=tmp_path, url=postgres.url(name))
    with pytest.raises(FatalError, match=sentence):
        async with open_ledger(settings, clock=clock):
            pytest.fail("the ledger opened")


async def test_two_ledgers_of_one_database_are_refused(
    postgres_settings: LedgerSettings, clock: Clock, tmp_path: Path
) -> None:
    other = dataclasses.replace(postgres_settings, data_dir=tmp_path / "other", attempts_max=2)
    async with open_ledger(postgres_settings, clock=clock):
        with pytest.raises(TransientError, match="another ledger already uses"):
            async with open_ledger(other, clock=clock):
                pytest.fail("the second ledger opened")


async def test_updates_whose_first_commit_reply_was_lost_are_still_told_as_new(
    postgres: PostgresServer, tmp_path: Path, clock: Clock
) -> None:
    async with cutting_proxy(postgres) as proxy:
        settings = _through(proxy, postgres.make_database(), tmp_path)
        async with open_ledger(settings, clock=clock) as ledger:
            proxy.cuts_left = 1
            stored = await ask(
                ledger, PutInbox(source="chat", updates=[(1, b"x"), (2, b"y")]), InboxStored
            )

    assert stored.new_ids == [1, 2]
