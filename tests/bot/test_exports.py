"""Exports: a table as CSV, JSON or Excel, of days or of a span, with its checksum and its check."""

import hashlib
import io
import re
import zipfile
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bot.render.money import render_export
from bot.render.plain import write_plain
from bot.sheets import make_sheet
from bot.write_sheet import write_sheet
from engine.bus.reports import ExportReport
from engine.domain.units import NS_PER_DAY
from engine.requests.money import GetExport
from engine.storage.export import render_cell
from tests.bot import samples
from tests.bot.conftest import Chat

TODAY_NS = samples.AT_NS // NS_PER_DAY * NS_PER_DAY


def cells(book: bytes) -> list[str]:
    """Return the rows of an Excel file's sheet as XML."""
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    return re.findall(r"<c [^>]*?>.*?</c>", sheet)


@pytest.mark.parametrize(
    ("line", "since_ns", "until_ns", "days"),
    [
        ("/export trades", None, None, 30),
        ("/export trades 5", None, None, 5),
        ("/export trades json 5", None, None, 5),
        ("/export trades 2026-09-20", TODAY_NS - NS_PER_DAY, TODAY_NS, 30),
        ("/export trades csv 2026-09-19 2026-09-20", TODAY_NS - 2 * NS_PER_DAY, TODAY_NS, 30),
    ],
)
async def test_days_and_spans_reach_the_ledger(
    chat: Chat, line: str, since_ns: int | None, until_ns: int | None, days: int
) -> None:
    async with chat.start():
        await chat.say(line)

    (asked,) = (one for one in chat.facade.asked if isinstance(one, GetExport))
    assert (asked.since_ns, asked.until_ns, asked.days) == (since_ns, until_ns, days)
    assert asked.form == ("json" if "json" in line else "csv")


async def test_an_excel_file_comes_with_the_checksum_of_what_is_sent(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/export trades xlsx")

    document = chat.emulator.chats.from_bot()[-1].document
    assert document is not None
    name, content = document
    assert name == "trades.xlsx"
    assert zipfile.is_zipfile(io.BytesIO(content))
    assert hashlib.sha256(content).hexdigest() in "".join(text.split())


async def test_a_file_that_differs_from_the_ledger_says_so(chat: Chat) -> None:
    check = "1 trades, 0.42 USD; ledger 2, 0.84 USD"
    chat.facade.export = replace(chat.facade.export, check=check, is_alike=False)

    async with chat.start():
        text = " ".join((await chat.say("/export trades")).split())

    assert text.startswith("⚠")
    assert f"{check} ✖ ledger differs" in text


async def test_what_is_no_day_exports_nothing(chat: Chat) -> None:
    async with chat.start():
        assert "is no day" in await chat.say("/export trades 2026-09-20 2026-09-19")

    assert not any(isinstance(one, GetExport) for one in chat.facade.asked)


def test_no_cell_of_an_excel_file_is_a_formula_or_a_link() -> None:
    evil = ("=1+1", "+cmd", "-2+3", "@SUM(A1)", "{=1}", "https://x.example/a", "\t=1")
    rows = "\r\n".join('"' + render_cell(text) + '"' for text in evil)

    found = cells(write_sheet(io.StringIO(f"header\r\n{rows}\r\n", newline="")))

    assert len(found) == len(evil) + 1
    assert all('t="inlineStr"' in cell and "<f>" not in cell for cell in found)


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("0.42", True),
        ("-12.5", True),
        ("123456789012345", True),
        ("0.9876543210123456789", False),
        ("1780000000000000000", False),
        ("NaN", False),
        ("", False),
        ("t0ab3x-1", False),
    ],
)
def test_a_number_stays_one_only_where_excel_keeps_it_exactly(
    text: str, *, is_number: bool
) -> None:
    found = cells(write_sheet(io.StringIO(f"header\r\n{text or chr(34) * 2}\r\n", newline="")))

    value = re.search(r"<v>(.*?)</v>", found[-1])
    assert (value is not None) is is_number
    if value is not None:
        assert Decimal(value.group(1)) == Decimal(text)


async def test_a_large_table_does_not_fill_the_pipe() -> None:
    table = "a,b\r\n" + "x,1.5\r\n" * 20_000

    assert len(cells(await make_sheet(table.encode()))) == 40_002


def test_the_checksum_is_shown_whole() -> None:
    report = ExportReport(file_name="t.csv", content=b"", rows=1)
    text = "".join(write_plain(render_export(report, b"abc", title="t")).split())

    assert hashlib.sha256(b"abc").hexdigest() in text
