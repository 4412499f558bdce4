"""Write a table as an Excel file: CSV on standard input, XLSX on standard output.

Run by `bot.sheets` only, in a process of its own that ends at once: the library and its buffers
cost the chat nothing. No cell is a formula: what a spreadsheet would run is text already.
"""

import csv
import io
import sys
from decimal import Decimal, InvalidOperation

_WIDTH = 18


def write_sheet(table: io.TextIOBase) -> bytes:
    """Return the table as XLSX; a number that Excel would round is written as text."""
    import xlsxwriter  # noqa: PLC0415 - only this short-lived process pays for it

    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False},
    )
    sheet = book.add_worksheet("ledger")
    bold = book.add_format({"bold": True})
    sheet.freeze_panes(1, 1)
    for number, row in enumerate(csv.reader(table)):
        if number == 0:
            sheet.set_column(0, len(row) - 1, _WIDTH)
        for column, text in enumerate(row):
            value = _number(text) if number else None
            if value is None:
                sheet.write_string(number, column, text, None if number else bold)
            else:
                sheet.write_number(number, column, value)
    book.close()
    return target.getvalue()


def _number(text: str) -> float | None:
    """Return a number as Excel keeps it, None of what is none or would not be the same there."""
    if not text or not text.isascii() or text.strip() != text:
        return None
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    if not exact.is_finite() or len(exact.as_tuple().digits) > 15:  # noqa: PLR2004 - Excel keeps 15
        return None
    return float(exact)


def main() -> None:
    """Read, write."""
    text = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8", newline="")
    sys.stdout.buffer.write(write_sheet(text))


if __name__ == "__main__":
    main()
