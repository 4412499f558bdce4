"""Exports: exact, complete, and harmless in a spreadsheet."""

import csv
import io
import json
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from engine.bus.reports import ExportReport, Unknown
from engine.domain.stories import Cause, Difference, Worth
from engine.requests.money import GetExport
from engine.storage import export_file
from engine.storage.export import EXPORTS, render_cell
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.story_columns import STORY_HEADER
from tests.storage import makers
from tests.storage.asking import append, ask
from tests.storage.conftest import Clock


def _rows(report: ExportReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(report.content.decode(), newline="")))


async def test_every_table_is_exported_with_a_header_and_its_rows(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            makers.make_opportunity_record(),
            makers.make_execution_record(),
            makers.make_atomic_record(number=2),
            makers.make_state_record(),
            makers.make_notice_record(),
        )

        reports = {
            table: await ask(ledger, GetExport(table=table), ExportReport) for table in EXPORTS
        }

    counts = {table: report.rows for table, report in reports.items()}
    assert counts == {
        "trades": 2,
        "fills": 4,
        "transactions": 1,
        "swaps": 2,
        "truths": 0,
        "costs": 0,
        "opportunities": 1,
        "notices": 1,
        "approvals": 0,
        "mandates": 0,
        "audit": 1,
    }
    for table, report in reports.items():
        rows = _rows(report)
        assert len(rows) == report.rows, table
        assert not rows or rows[0]["at_utc"] == "2026-05-28T20:26:40.000000000Z"
        assert report.file_name == f"{table}-30d.csv"
    trade, bundle = _rows(reports["trades"])
    assert trade["profit_usd"] == "0.9876543210123456789"
    assert (trade["gas_usd"], bundle["gas_usd"]) == ("0", "0.36")
    assert bundle["trading_gas_usd"] == "0"
    (transaction,) = _rows(reports["transactions"])
    assert (transaction["gas_asset"], transaction["gas"]) == ("ETH", "0.00018")
    assert [row["amount_out"] for row in _rows(reports["swaps"])] == ["0.5", "1010"]
    assert {row["venue"] for row in _rows(reports["fills"])} == {"coinbase", "gemini"}


async def test_found_and_the_columns_of_causes_add_up_to_the_profit_in_a_spreadsheet(
    settings: LedgerSettings, clock: Clock
) -> None:
    def worth(amount: str) -> Worth:
        return Worth(quote=Decimal(amount), usd=Decimal(amount))

    both = tuple(
        Difference(cause=cause, worth=worth(f"-0.{number + 1}"))
        for number, cause in enumerate((Cause.DEPTH_TAKEN, Cause.SIZE_LIMIT))
    )
    after = tuple(
        Difference(cause=cause, worth=worth(f"-0.0{number + 1}"))
        for number, cause in enumerate((Cause.LATENCY, Cause.DEPTH_TAKEN, Cause.FEE))
    )
    story = replace(
        makers.make_story(Decimal("0.64")),
        found=worth("1"),
        to_sized=both,
        sized=worth("0.7"),
        to_realised=after,
    )
    told = makers.make_execution_record(number=1, profit_usd=Decimal("0.64"))
    told = structs.replace(told, execution=replace(told.execution, story=story))
    early = makers.make_execution_record(number=2)
    early = structs.replace(early, execution=replace(early.execution, story=None))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, told, early)
        report = await ask(ledger, GetExport(table="trades"), ExportReport)

    first, second = _rows(report)
    causes = [name for name in first if name.startswith(("planning_", "trading_"))]
    assert len(causes) == 17
    assert "{" not in report.content.decode()
    assert first["planning_depth_taken_usd"] == "-0.1"
    assert first["trading_depth_taken_usd"] == "-0.02"
    total = sum((Decimal(first[name]) for name in causes), Decimal(first["found_usd"]))
    assert total == Decimal(first["profit_usd"])
    assert {second[name] for name in causes} == {""}


def test_every_cause_has_a_column_wherever_a_story_may_name_it() -> None:
    named = {name.split("_", 1)[1].removesuffix("_usd") for name in STORY_HEADER}

    assert named >= {cause.value for cause in Cause}


async def test_rows_are_oldest_first_complete_over_pages_and_within_the_days(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.storage.export.PAGE_ROWS", 3)
    monkeypatch.setattr(export_file, "PAGE_ROWS", 3)
    ages_ns = [0, 0, 0, 0, 1, 5, 5, makers.DAY_NS, 3 * makers.DAY_NS]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(
            ledger,
            *(
                makers.make_opportunity_record(number=number, seen_at_ns=makers.NOW_NS - age_ns)
                for number, age_ns in enumerate(ages_ns)
            ),
        )

        report = await ask(ledger, GetExport(table="opportunities", days=2), ExportReport)

    rows = _rows(report)
    instants = [int(row["seen_at_ns"]) for row in rows]
    assert instants == sorted(instants)
    assert sorted(row["opportunity_id"] for row in rows) == [f"run1-{n}" for n in range(8)]


async def test_a_cut_export_keeps_the_newest_rows_and_says_so(
    sqlite_settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PAGE_ROWS", 2), ("ROWS_MAX", 4)):
        monkeypatch.setattr(export_file, name, value)
    monkeypatch.setattr("engine.storage.export.PAGE_ROWS", 2)
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(
            ledger,
            *(
                makers.make_opportunity_record(number=number, seen_at_ns=makers.NOW_NS + number)
                for number in range(6)
            ),
        )

        report = await ask(ledger, GetExport(table="opportunities"), ExportReport)

    assert [row["opportunity_id"] for row in _rows(report)] == [f"run1-{n}" for n in range(2, 6)]
    assert "newest-4" in report.file_name


async def test_a_formula_in_a_text_is_not_run_by_a_spreadsheet(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    formula = '=HYPERLINK("http://x","y")'
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(ledger, makers.make_opportunity_record(detail=formula))

        report = await ask(ledger, GetExport(table="opportunities"), ExportReport)

    assert _rows(report)[0]["detail"] == f"'{formula}"


async def test_an_unknown_table_is_answered_with_those_there_are(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        reply = await ask(ledger, GetExport(table="inbox"), Unknown)

    assert ", ".join(EXPORTS) in reply.what


@given(st.text(max_size=20))
def test_no_cell_of_text_starts_a_formula(text: str) -> None:
    cell = render_cell(text)

    if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        assert Decimal(cell).is_finite()
    assert cell in (text, f"'{text}")


@pytest.mark.parametrize("number", ["-1.5", "+2", "-0", "-1e-7", "1E+3"])
def test_a_number_stays_a_number(number: str) -> None:
    assert render_cell(number) == number


async def test_json_holds_the_same_rows_with_amounts_as_strings(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_execution_record(), makers.make_state_record())
        table = await ask(ledger, GetExport(table="trades"), ExportReport)
        same = await ask(ledger, GetExport(table="trades", form="json"), ExportReport)

    (row,) = _rows(table)
    (told,) = json.loads(same.content)
    assert same.file_name == "trades-30d.json"
    assert list(told) == list(row)
    assert {name: "" if value is None else str(value) for name, value in told.items()} == row
    assert told["profit_usd"] == "0.9876543210123456789"


async def test_a_span_of_instants_begins_with_the_first_and_ends_before_the_last(
    settings: LedgerSettings, clock: Clock
) -> None:
    day_ns, start_ns = makers.DAY_NS, makers.NOW_NS // makers.DAY_NS * makers.DAY_NS
    at = (start_ns - 1, start_ns, start_ns + day_ns - 1, start_ns + day_ns)
    async with open_ledger(settings, clock=clock) as ledger:
        for number, closed_at_ns in enumerate(at, 1):
            record = makers.make_execution_record(number=number, closed_at_ns=closed_at_ns)
            await append(ledger, record)
        asked = GetExport(table="trades", since_ns=start_ns, until_ns=start_ns + day_ns)
        report = await ask(ledger, asked, ExportReport)

    assert [row["execution_id"] for row in _rows(report)] == ["exec-run1-2", "exec-run1-3"]
    assert report.file_name == "trades-2026-05-28-to-2026-05-28.csv"
    assert report.is_alike


async def test_a_file_is_compared_with_the_ledger_and_one_that_was_cut_says_so(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for number in range(1, 4):
            await append(ledger, makers.make_execution_record(number=number))
        whole = await ask(ledger, GetExport(table="trades"), ExportReport)
        fills = await ask(ledger, GetExport(table="fills"), ExportReport)
        monkeypatch.setattr("engine.storage.export_file.PAGE_ROWS", 1)
        monkeypatch.setattr("engine.storage.export.PAGE_ROWS", 1)
        monkeypatch.setattr("engine.storage.export_file.ROWS_MAX", 2)
        cut = await ask(ledger, GetExport(table="trades"), ExportReport)
        cut_fills = await ask(ledger, GetExport(table="fills"), ExportReport)

    total = 3 * Decimal("0.9876543210123456789")
    assert (whole.check, whole.is_alike) == ("3 trades, 2.96 USD", True)
    assert (fills.check, fills.is_alike) == ("12 of 12 rows", True)
    assert not cut.is_alike
    assert cut.check.endswith(f"ledger 3, {total} USD")
    assert (cut_fills.check, cut_fills.is_alike) == ("2 of 12 rows", False)
