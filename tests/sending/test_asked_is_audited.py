"""What a person asked to have done to the contract is in the audit once, whoever is away."""

import asyncio
from pathlib import Path

import pytest

from engine.bus.records import Append
from engine.bus.reports import AuditReport
from engine.domain.told import Asked
from engine.requests.audit import GetAudit
from engine.sending.nonces import NonceTable
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.wiring import contract_audit
from engine.wiring.contract_audit import audit_asked
from engine.wiring.sender_answers import SenderAnswers
from tests.sending.test_booked_once import Here, until
from tests.storage import makers
from tests.storage.conftest import sqlite_model, with_model  # noqa: F401 - a fixture

PAUSE = Asked(command_id="c1", chain="base", is_pause=True, by="maria", at_ns=makers.NOW_NS)
AGAIN = Asked(command_id="c2", chain="base", is_pause=False, by="ben", at_ns=makers.NOW_NS + 1)


@pytest.fixture
def settings(tmp_path: Path, sqlite_model: Path) -> LedgerSettings:  # noqa: F811 - a fixture
    return with_model(LedgerSettings(data_dir=tmp_path / "var"), sqlite_model)


async def test_it_waits_for_the_ledger_and_is_one_link_of_the_chain(
    settings: LedgerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract_audit, "RETRY_S", 0.01)
    table = NonceTable(tmp_path / "nonces.sqlite3")
    table.asked.keep(PAUSE)
    table.asked.keep(AGAIN)
    async with open_ledger(settings, clock=lambda: makers.NOW_NS) as ledger:
        place = Here(ledger, deaf_to=Append)
        for _ in range(2):
            task = asyncio.create_task(audit_asked(SenderAnswers(table), place))
            await until(lambda: len(place.asked) > 2 or not table.asked.unaudited())
            waiting = len(table.asked.unaudited())
            place.deaf_to = None
            await until(lambda: not table.asked.unaudited())
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert waiting in {2, 0}  # the second sender finds all of it there
        table.asked.keep(PAUSE)  # told again
        report = await ledger.answer(GetAudit())
    table.close()

    assert isinstance(report, AuditReport)
    assert report.broken == ""
    said = [(one.by, one.action) for one in report.lines if "contract" in one.action]
    assert said == [
        ("ben", "let run again the contract on base"),
        ("maria", "pause the contract on base"),
    ]
