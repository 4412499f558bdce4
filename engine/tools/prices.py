"""`python -m engine prices`: the running engine's prices, read from the memory that it shares.

This is a process of its own and takes nothing of the engine's time; it asks the engine once, by
its socket, only for where its prices come from.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

import msgspec

from engine.domain.errors import BadValueError, TransientError
from engine.market.matrix_block import run_hash
from engine.market.matrix_file import (
    BlockReplacedError,
    RowBusyError,
    WriterGoneError,
    shared_path,
)
from engine.market.matrix_reader import PriceMatrixReader
from engine.market.row_cache import RowCache
from engine.operate import exit_codes
from engine.operate.clock import make_clock
from engine.operate.lifeline import stop_signals
from engine.requests.overview import GetStatus
from engine.tools.price_table import PricesShown, in_place, make_shown, render_text
from engine.wiring.front_end import open_facade
from engine.wiring.paths import Paths

WATCH_S: Final = 0.25
"""Time between two refreshes of `--watch`."""

TRIES: Final = 20
"""Tries to open a matrix that is just being taken over, or to copy a row that is at work."""

RETRY_S: Final = 0.05

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is asked for.

    Attributes:
        age_ms_max: a book that has not changed for longer is shown as old.
    """

    is_watching: bool
    is_json: bool
    has_metrics: bool
    age_ms_max: int


async def show_prices(paths: Paths, view: View) -> int:
    """Print all rows, once or until interrupted; returns the exit code.

    Raises:
        TransientError: no engine runs, or it ended meanwhile.
        FatalError: the memory belongs to someone else.
    """
    try:
        async with stop_signals() as stop:
            while not await _shown_to_the_end(paths, view, stop):
                pass
    except WriterGoneError as error:
        raise TransientError(
            f"no engine shares prices in {paths.data_dir}: start it with `make run`; if it runs, "
            f"its log {paths.log('engine')} says why it does not"
        ) from error
    except BadValueError as error:
        sys.stderr.write(f"syndicate: {error}\n")
        return exit_codes.BROKEN_SETTINGS
    except BrokenPipeError:
        # Who read the output has gone; the interpreter would flush into the pipe once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return exit_codes.OK


async def best_bids(paths: Paths) -> dict[tuple[str, str], Decimal]:
    """Return the best bids of live books by venue and pair, once.

    Raises:
        TransientError: no engine shares prices here.
    """
    try:
        reader = await _open(paths)
    except WriterGoneError as error:
        raise TransientError(f"no engine shares prices in {paths.data_dir}: make run") from error
    try:
        cache = RowCache(reader)
        shown = await _again_while_busy(
            lambda: make_shown(
                reader, cache, source="", at_ns=make_clock()(), age_ms_max=0, has_metrics=False
            )
        )
    finally:
        reader.close()
    return {
        (row.venue, f"{row.base}-{row.quote}"): Decimal(repr(row.bid))
        for row in shown.rows
        if row.kind == "book" and row.bid
    }


async def _shown_to_the_end(paths: Paths, view: View, stop: asyncio.Event) -> bool:
    """Show the rows that there are; says False if there are others now, to be shown from anew."""
    reader = await _open(paths)
    try:
        await _show(reader, view, stop, source=await _source(paths, reader))
    except BlockReplacedError:
        return False
    finally:
        reader.close()
    return True


async def _open(paths: Paths) -> PriceMatrixReader:
    path = shared_path(paths.run)
    return await _again_while_busy(lambda: PriceMatrixReader.open(path))


async def _show(reader: PriceMatrixReader, view: View, stop: asyncio.Event, *, source: str) -> None:
    cache = RowCache(reader)
    clock = make_clock()
    is_screen = view.is_watching and not view.is_json and sys.stdout.isatty()
    async with _below(is_screen=is_screen):
        while not stop.is_set():
            shown = await _again_while_busy(
                lambda: make_shown(
                    reader,
                    cache,
                    source=source,
                    at_ns=clock(),
                    age_ms_max=view.age_ms_max,
                    has_metrics=view.has_metrics,
                )
            )
            _write(shown, is_json=view.is_json, is_screen=is_screen)
            if not view.is_watching:
                return
            try:
                async with asyncio.timeout(WATCH_S):
                    await stop.wait()
            except TimeoutError:
                continue


@asynccontextmanager
async def _below(*, is_screen: bool) -> AsyncIterator[None]:
    """Leave what comes after the last screen a line of its own."""
    try:
        yield
    finally:
        if is_screen:
            sys.stdout.write("\n")
            sys.stdout.flush()


async def _source(paths: Paths, reader: PriceMatrixReader) -> str:
    """Say whether these are sandbox or live prices: the matrix itself does not tell."""
    async with open_facade(paths) as facade:
        try:
            status = await facade.ask(GetStatus())
        except TransientError:
            return "source unknown: the engine does not answer"
    if run_hash(status.run_id) != reader.run:
        return "source unknown: the engine was started again"
    return f"{status.basis.value}: {status.market_note}"


async def _again_while_busy(attempt: Callable[[], T]) -> T:
    for _ in range(TRIES - 1):
        try:
            return attempt()
        except (RowBusyError, BlockReplacedError):
            await asyncio.sleep(RETRY_S)
    return attempt()


def _write(shown: PricesShown, *, is_json: bool, is_screen: bool) -> None:
    if is_json:
        text = msgspec.json.encode(shown).decode() + "\n"
    elif is_screen:
        text = in_place(shown, size=shutil.get_terminal_size())
    else:
        text = render_text(shown, columns=shutil.get_terminal_size().columns) + "\n"
    sys.stdout.write(text)
    sys.stdout.flush()
