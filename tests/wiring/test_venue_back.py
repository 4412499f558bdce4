"""A venue without a list at the start: the run without it ends in order, the next one has it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from engine.bus.commands import GetStatus
from engine.bus.memory import MemoryCaller
from engine.bus.reports import StatusReport
from engine.bus.wire import Caller, LedgerReply, LedgerRequest, ledger_wire
from engine.domain.errors import TransientError, worst_of
from engine.operate.clock import SteadyClock
from engine.operate.engine_answers import EngineAnswers
from engine.settings.schema import MarketsSettings, Settings
from engine.storage.ledger import open_ledger
from engine.wiring import anew, run_set_up
from engine.wiring.engine_role import open_engine
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.paths import Paths, prepare
from engine.wiring.replaying import replay
from engine.wiring.sandbox_role import open_markets
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

SETTINGS = Settings(markets=MarketsSettings(sandbox_speed=10.0))


class Maintenance:
    """Stands before a venue's REST and answers with a page until the maintenance is over."""

    def __init__(self, behind: str) -> None:
        self.is_over = False
        self._behind = behind

    async def answer(self, request: web.Request) -> web.Response:
        if not self.is_over:
            return web.Response(body=b"<html>back soon</html>")
        async with (
            aiohttp.ClientSession() as client,
            client.get(self._behind + request.path_qs) as of,
        ):
            return web.Response(body=await of.read(), status=of.status)


@asynccontextmanager
async def in_maintenance(paths: Paths, venue: str) -> AsyncIterator[Maintenance]:
    announced = json.loads(paths.sandbox_announce.read_bytes())
    maintenance = Maintenance(announced["rest_urls"][venue])
    application = web.Application()
    application.router.add_get("/{path:.*}", maintenance.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    announced["rest_urls"][venue] = f"http://127.0.0.1:{runner.addresses[0][1]}"
    paths.sandbox_announce.write_text(json.dumps(announced))
    try:
        yield maintenance
    finally:
        await runner.cleanup()


async def until_live(answers: EngineAnswers, *venues: str) -> StatusReport:
    """Wait until these venues have live books and something was found."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status = await answers.answer(GetStatus())
            assert isinstance(status, StatusReport)
            live = {line.venue for line in status.venues if line.books_live}
            if status.found and live.issuperset(venues):
                return status
            await asyncio.sleep(0.02)


async def test_a_venue_that_is_back_is_in_the_next_run_and_the_last_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_set_up, "AWAY_RETRY_S", 0.05)
    monkeypatch.setattr(anew, "RUN_S_MIN", 0.1)
    paths = prepare(str(tmp_path))
    async with (
        open_markets(SETTINGS, paths),
        in_maintenance(paths, "gemini") as maintenance,
        open_ledger(ledger_settings(SETTINGS, paths), clock=SteadyClock().now_ns) as ledger,
    ):
        caller: Caller[LedgerRequest, LedgerReply] = MemoryCaller(ledger_wire(), ledger)

        async def run_until_back() -> None:
            async with open_engine(
                SETTINGS, paths, caller, clock=SteadyClock(), has_supervisor=True
            ) as answers:
                status = await until_live(answers, "binance", "coinbase", "bitstamp")
                (gemini,) = (line for line in status.venues if line.venue == "gemini")
                assert (gemini.books, gemini.books_live) == (0, 0)
                assert "cannot be read" in gemini.note
                maintenance.is_over = True
                await asyncio.Event().wait()

        with pytest.raises(ExceptionGroup) as ended:
            await run_until_back()
        why = worst_of(ended.value)
        assert isinstance(why, TransientError)
        assert "gemini: it is back; the engine starts anew" in str(why)
        async with open_engine(SETTINGS, paths, caller, clock=SteadyClock()) as answers:
            await until_live(answers, "gemini")

    first = min(paths.recordings.iterdir())
    assert replay(first, lines=[]).first_difference is None
