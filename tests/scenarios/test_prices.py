"""`python -m engine prices` beside a running installation, and when its engine is killed."""

import asyncio
import contextlib
import json
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine.bus.reports import StatusReport, VenuesReport
from engine.kernels.matrix_layout import HEADER
from engine.market.board import Board
from engine.market.matrix_file import shared_path
from engine.market.price_matrix import PriceMatrix
from engine.requests.overview import GetVenues
from engine.wiring.paths import Paths, prepare
from tests.patience import PATIENCE_S, insist
from tests.reference.world import make_instrument
from tests.scenarios.rig import (
    CALM,
    Installation,
    environment,
    run_engine_command,
    running_installation,
)
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow

WRONG_TOKEN = "987654321:AAwrong-token-of-thirty-five-characters"

Quote = tuple[float | None, float | None]


async def quotes_reported(installation: Installation) -> dict[tuple[str, str], Quote]:
    """Best bids and asks as /venues has them, none for a book that may not be traded on."""
    report = await insist(installation.facade, GetVenues())
    assert isinstance(report, VenuesReport)
    found: dict[tuple[str, str], Quote] = {}
    for line in report.instruments:
        is_whole = line.is_live and line.bid is not None and line.ask is not None
        found[line.venue, line.pair] = (
            (float(line.bid or 0), float(line.ask or 0)) if is_whole else (None, None)
        )
    return found


async def prices_printed(data_dir: Path) -> dict[str, Any]:
    code, said = await run_engine_command(data_dir, "prices", "--json", "--metrics")
    assert code == 0, said
    shown: dict[str, Any] = json.loads(said)
    return shown


def has_live_pools(status: StatusReport) -> bool:
    """Say whether some book and some pool may be traded on."""
    live = [one.is_chain for one in status.venues if one.books_live]
    return True in live and False in live


def has_live_pool(shown: dict[str, Any]) -> bool:
    return any(row["kind"] == "pool" and row["state"] == "yes" for row in shown["rows"])


@asynccontextmanager
async def watching(data_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command until it ends by itself, or kill it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine", "prices", "--watch", "--json",
        cwd=data_dir.parent,
        env=environment(data_dir),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def next_look(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        look: dict[str, Any] = json.loads(await process.stdout.readline())
    return look


@contextlib.contextmanager
def held(*processes: psutil.Process) -> Iterator[None]:
    """Hold processes, the first one first."""
    with contextlib.ExitStack() as stack:
        for process in processes:
            process.send_signal(signal.SIGSTOP)
            stack.callback(process.send_signal, signal.SIGCONT)
        yield


async def quotes_and_prices(
    installation: Installation,
) -> tuple[dict[tuple[str, str], Quote], dict[str, Any]] | str:
    """Ask and print while the market stands; why not, if it went on or stood for too long.

    The supervisor is held as well, which would take the sandbox for hung. Between two tries all
    goes on until books and pools are live.
    """
    await installation.until_status(has_live_pools)
    with held(psutil.Process(installation.process.pid), installation.role("sandbox")):
        before = await quotes_reported(installation)
        shown = await prices_printed(installation.data_dir)
        after = await quotes_reported(installation)
    if after != before:
        return f"the market went on from {before} to {after}"
    if not any(bid is not None for bid, _ in before.values()):
        return "no book is live"
    return (before, shown) if has_live_pool(shown) else "no pool is live any more"


async def check_prices_are_the_engines(installation: Installation) -> dict[str, Any]:
    """Stop the market, so that nothing changes, and compare every book."""
    whys: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE_S):
            while isinstance(seen := await quotes_and_prices(installation), str):
                whys.append(seen)
    except TimeoutError:
        pytest.fail(f"after {len(whys)} tries: {whys[-3:]}")
    before, shown = seen
    rows = shown["rows"]
    books = {
        (row["venue"], f"{row['base']}-{row['quote']}"): (row["bid"], row["ask"])
        for row in rows
        if row["kind"] == "book"
    }
    assert books == before
    assert any(bid is not None for bid, _ in books.values())
    assert shown["source"].startswith("sandbox: ")
    assert shown["metrics"]["hits"] + shown["metrics"]["misses"] == len(rows)
    return shown


async def check_the_watcher_ends(
    watcher: asyncio.subprocess.Process, installation: Installation
) -> None:
    """Kill the engine while its supervisor is held back, so that no other takes its place."""
    installation.process.send_signal(signal.SIGSTOP)
    try:
        installation.role("engine").send_signal(signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            _, complaint = await watcher.communicate()
    finally:
        installation.process.send_signal(signal.SIGCONT)
    assert watcher.returncode == 75
    assert complaint.decode().startswith("syndicate: no engine shares prices")
    assert "start it with `make run`" in complaint.decode()


async def test_prices_are_the_engines_own_and_end_with_it_and_a_wrong_token_closes_the_chat_only(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    path = shared_path(Paths(data_dir).run)
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            speed=CALM,
            TELEGRAM_BOT_TOKEN=WRONG_TOKEN,
            # What is held for as long as a busy machine needs to print is not stale for that.
            SYNDICATE_MARKETS_AGE_MS_MAX="600000",
            SYNDICATE_MARKETS_LAG_MS_MAX="60000",
            SYNDICATE_CHAINS_STALE_BLOCKS="1000",
        ) as installation,
    ):
        status = await installation.until_live()
        await _check_a_wrong_token_closed_the_chat_only(installation)
        shown = await check_prices_are_the_engines(installation)

        async with watching(data_dir) as watcher:
            first = await next_look(watcher)
            while (later := await next_look(watcher))["rows"] == first["rows"]:
                pass
            await check_the_watcher_ends(watcher, installation)
            assert later["generation"] == shown["generation"]

        await installation.until_status(
            lambda now: now.run_id != status.run_id and any(v.books_live for v in now.venues)
        )
        again = await check_prices_are_the_engines(installation)
        assert again["generation"] > shown["generation"]
        status = await installation.until_status(
            lambda now: (now.prices_published or 0) > len(again["rows"])
        )
        assert status.prices_failure is None
        assert await installation.stop() == 0

    assert not path.exists()
    code, said = await run_engine_command(data_dir, "prices")
    assert (code, "start it with `make run`" in said) == (75, True)
    _check_a_wrong_token_is_never_shown(tmp_path)


async def _check_a_wrong_token_closed_the_chat_only(installation: Installation) -> None:
    log = installation.data_dir.with_name("var.log")
    async with asyncio.timeout(PATIENCE_S):
        while "go on without the bot" not in log.read_text():
            await asyncio.sleep(0.05)
    status = await installation.until_live()
    assert (await installation.trades()).total == 0, "the ledger answers too"
    assert any(venue.books_live for venue in status.venues)


def _check_a_wrong_token_is_never_shown(folder: Path) -> None:
    said = (folder / "var.log").read_text()
    logs = "".join(path.read_text() for path in (folder / "var" / "logs").iterdir())
    assert "put it into TELEGRAM_BOT_TOKEN" in said
    assert WRONG_TOKEN not in said + logs
    assert "Traceback" not in said


async def test_a_matrix_of_another_format_is_a_clear_error(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    path = shared_path(prepare(str(data_dir)).run)
    matrix = PriceMatrix.create(path, Board([make_instrument("v")], levels_max=8), run_id="r")
    try:
        with path.open("r+b") as file:
            file.seek(8 * HEADER.FORMAT)
            file.write((99).to_bytes(8, "little"))
        code, said = await run_engine_command(data_dir, "prices")
    finally:
        matrix.close()
        path.unlink()

    assert (code, "of format 99" in said, "in one version" in said) == (2, True, True)


async def test_a_watcher_goes_on_with_the_rows_that_there_are_after_a_change(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    path = shared_path(prepare(str(data_dir)).run)
    board = Board([make_instrument("v")], levels_max=8)
    matrix = PriceMatrix.create(path, board, run_id="r")
    try:
        async with watching(data_dir) as process:
            assert [row["base"] for row in (await next_look(process))["rows"]] == ["BTC"]
            board.add(make_instrument("v", "ETH-USD"))
            board.former.add(board.add(make_instrument("v", "LTC-USD")))

            matrix = matrix.renewed(run_id="r")

            while [row["base"] for row in (await next_look(process))["rows"]] != ["BTC", "ETH"]:
                pass
    finally:
        matrix.close()
        path.unlink()
