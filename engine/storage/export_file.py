"""A table as a file: loaded page by page, rendered, and compared with what is stored."""

import asyncio
from functools import partial

from engine.bus.reports import ExportReport, Unknown
from engine.storage.export import (
    EXPORTS,
    PAGE_ROWS,
    ROWS_MAX,
    Span,
    load_page,
    render_csv,
    render_json,
)
from engine.storage.export_check import Transact, compare
from engine.storage.performance import Known


async def export_file(
    transact: Transact, *, table: str, span: Span, form: str, known: Known
) -> ExportReport | Unknown:
    """Load a table as a file, and compare what is in it with what is stored.

    Args:
        transact: carries out what only looks.
        table: its name, see `EXPORTS`.
        span: of the rows wanted.
        form: ``json`` or ``csv``.
        known: of trades, see `performance.make_known`.
    """
    export = EXPORTS.get(table)
    if export is None:
        return Unknown(
            what=f"there is no table {table!r} to export; choose one of {', '.join(EXPORTS)}"
        )
    rows: list[tuple[object, ...]] = []
    page_rows = PAGE_ROWS
    while page_rows == PAGE_ROWS and len(rows) < ROWS_MAX:
        before = rows[-1] if rows else None
        page = await transact(partial(load_page, export=export, span=span, before=before))
        rows += page
        page_rows = len(page)
    render = render_json if form == "json" else render_csv
    content = await asyncio.to_thread(render, export, rows)
    check, is_alike = await compare(
        transact, table=table, export=export, span=span, rows=rows, known=known
    )
    cut = f"-newest-{ROWS_MAX}" if page_rows == PAGE_ROWS else ""
    return ExportReport(
        file_name=f"{table}-{span.name}{cut}.{form}",
        content=content,
        rows=len(rows),
        check=check,
        is_alike=is_alike,
    )
