"""Tables as Excel files."""

from typing import Final

from bot.apart import ApartError, run_apart

WRITE_S_MAX: Final = 60.0


class SheetError(Exception):
    """The file could not be written; the text says why."""


async def make_sheet(table: bytes) -> bytes:
    """Return a CSV table as XLSX.

    Raises:
        SheetError: it could not be written.
    """
    try:
        return await run_apart("bot.write_sheet", table, s_max=WRITE_S_MAX)
    except ApartError as error:
        raise SheetError(str(error)) from error
