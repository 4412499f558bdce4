import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pyotp
import pytest
from msgspec.structs import replace

from engine.bus.command import seal
from engine.bus.notices import Killed, ModeChanged, Notice
from engine.bus.records import Record
from engine.bus.reports import (
    Acknowledged,
    Declined,
    KillReport,
    OpportunitiesReport,
    StatusReport,
    WhyReport,
)
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.market.board import Board
from engine.market.matrix_file import shared_path
from engine.market.price_matrix import PriceMatrix
from engine.operate.one_time_code import TRIES_MAX
from engine.operate.outbox import Outbox
from engine.requests.chat import DoneNotices
from engine.requests.overview import GetOpportunities, GetStatus
from engine.requests.safety import Kill, Pause, Resume, SetMode, Unkill
from engine.requests.why import GetWhy
from engine.settings.schema import (
    CostsSettings,
    LimitsSettings,
    MarketsSettings,
    OperatorSettings,
    PaperSettings,
    Settings,
)
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, clear_latch, insist
from tests.reference.world import make_instrument
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
STORED_AFTER_MS = 500
SETTINGS = Settings(markets=MarketsSettings(sandbox_speed=4.0))
WITH_CODES = replace(SETTINGS, operator=OperatorSettings(totp_secret=SECRET))
PAPER_WITH_CODES = replace(WITH_CODES, paper=PaperSettings(mode_at_first_start="paper"))


@pytest.fixture
def settings() -> Settings:
    return SETTINGS


@pytest.fixture
async def facade(tmp_path: Path, settings: Settings) -> AsyncIterator[BusFacade]:
    async with open_roles(settings, prepared(tmp_path)) as facade:
        yield facade


async def test_an_engine_in_a_process_of_others_leaves_what_is_collected_as_it_is(
    tmp_path: Path,
) -> None:
    frozen = gc.get_freeze_count()
    async with open_roles(SETTINGS, prepared(tmp_path)):
        assert gc.get_freeze_count() <= frozen  # some of it may have died
        assert gc.isenabled()
    assert gc.get_freeze_count() <= frozen


async def until(facade: BusFacade, is_met: Callable[[StatusReport], bool]) -> StatusReport:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            status = await insist(facade, GetStatus())
            assert isinstance(status, StatusReport)
            if is_met(status):
                return status
            await asyncio.sleep(0.02)


async def told(facade: BusFacade, kind: type[Notice], *, reader: str = "test") -> Notice:
    async with asyncio.timeout(PATIENCE_S):
        async for stamped in facade.notices(reader=reader):
            if isinstance(stamped.notice, kind):
                await insist(facade, DoneNotices(reader=reader, seq=stamped.seq))
                return stamped.notice
    raise AssertionError("the stream ended")


async def shared_route(facade: BusFacade) -> WhyReport:
    """Ask until a route that has been open for long enough to be stored is shared now."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            report = await insist(facade, GetOpportunities(limit=200))
            assert isinstance(report, OpportunitiesReport)
            for line in report.opportunities:
                if line.is_open and line.lasted_ms > STORED_AFTER_MS:
                    why = await insist(facade, GetWhy(ref=line.opportunity_id))
                    if isinstance(why, WhyReport) and why.split_now is not None:
                        return why
            await asyncio.sleep(0.02)


async def test_an_open_route_that_gains_more_through_parallel_places_is_told_with_their_shares(
    tmp_path: Path,
) -> None:
    venues = ("binance", "bitstamp", "coinbase", "gemini")
    free = replace(
        SETTINGS,
        costs=CostsSettings(
            fee_bps_taker=dict.fromkeys(venues, Decimal(0)), transfer_bps=Decimal(0)
        ),
        limits=LimitsSettings(net_edge_bps_min=Decimal(0)),
    )
    async with open_roles(free, prepared(tmp_path)) as facade:
        why = await shared_route(facade)

    now = why.split_now
    assert why.line.is_open
    assert now is not None
    assert now.profit_quote >= now.more_quote > 0
    if why.exact_now is not None:
        assert now.profit_quote > why.exact_now.profit_quote
    assert len(now.legs) == len(why.line.hops)
    assert max(map(len, now.legs)) > 1
    left = now.paid
    for leg in now.legs:
        assert sum(part.amount_in for part in leg) <= left
        assert sum(part.share_ratio for part in leg) == pytest.approx(1)
        left = sum((part.amount_out for part in leg), Decimal(0))
    assert left == now.got


@pytest.mark.parametrize("settings", [WITH_CODES])
async def test_what_was_asked_before_a_pause_or_a_kill_loosens_nothing_after_it(
    facade: BusFacade,
) -> None:
    asked_at_ns = time.time_ns()
    resume = seal(Resume(), by="me", at_ns=asked_at_ns)
    go_up = seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by="me", at_ns=asked_at_ns)

    await insist(facade, seal(Pause(), by="me", at_ns=time.time_ns()))
    assert isinstance(await insist(facade, resume), Declined)
    assert isinstance(await insist(facade, go_up), Declined)

    code = pyotp.TOTP(SECRET).at(int(time.time()))
    asked = seal(Unkill(code=code), by="me", at_ns=time.time_ns())
    await insist(facade, seal(Kill(why="test"), by="me", at_ns=time.time_ns()))
    assert isinstance(await insist(facade, asked), Declined)

    status = await until(facade, lambda _status: True)
    assert (status.is_killed, status.is_paused, status.mode) == (True, True, Mode.OBSERVE)


@pytest.mark.parametrize("settings", [PAPER_WITH_CODES])
async def test_a_kill_is_cleared_only_by_a_right_one_time_code(facade: BusFacade) -> None:
    await insist(facade, seal(Kill(why="test"), by="me", at_ns=time.time_ns()))
    assert isinstance(await told(facade, Killed), Killed)
    await until(facade, lambda status: status.is_killed and status.refused.get("killed", 0) > 0)

    assert isinstance(
        await insist(facade, seal(Unkill(code="000000"), by="me", at_ns=time.time_ns())), Declined
    )
    cleared, code = await clear_latch(
        facade, SECRET, wall_ns=time.time_ns, given_at_ns=time.time_ns
    )
    assert isinstance(cleared, Acknowledged)
    assert not cleared.is_killed
    killed = await insist(facade, seal(Kill(why="again"), by="me", at_ns=time.time_ns()))
    assert isinstance(killed, KillReport)
    assert killed.engine.is_done
    assert killed.latch_file.is_done
    assert killed.ledger.is_done
    assert isinstance(
        await insist(facade, seal(Unkill(code=code), by="me", at_ns=time.time_ns())), Declined
    ), "a code works once"


async def test_a_resume_while_killed_and_its_notice_say_that_the_latch_holds(
    facade: BusFacade,
) -> None:
    await insist(facade, seal(Pause(), by="me", at_ns=time.time_ns()))
    assert isinstance(await told(facade, ModeChanged), ModeChanged)
    await insist(facade, seal(Kill(why="test"), by="me", at_ns=time.time_ns()))

    resumed = await insist(facade, seal(Resume(), by="me", at_ns=time.time_ns()))
    notice = await told(facade, ModeChanged)

    assert isinstance(resumed, Acknowledged)
    assert (resumed.is_killed, resumed.is_paused) == (True, False)
    assert isinstance(notice, ModeChanged)
    assert (notice.is_killed, notice.is_paused) == (True, False)


async def test_mode_and_pause_survive_a_restart(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        await insist(
            facade, seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by="me", at_ns=time.time_ns())
        )
        await insist(facade, seal(Pause(), by="me", at_ns=time.time_ns()))
    async with open_roles(SETTINGS, paths) as facade:
        status = await until(facade, lambda _status: True)

    assert (status.mode, status.is_paused) == (Mode.PAPER, True)


async def test_wrong_codes_lock_out_over_a_restart(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(WITH_CODES, paths) as facade:
        await facade.ask(seal(Kill(why="test"), by="me", at_ns=time.time_ns()))
        for _ in range(TRIES_MAX):
            await facade.ask(seal(Unkill(code="000000"), by="me", at_ns=time.time_ns()))
    async with open_roles(WITH_CODES, paths) as facade:
        await until(facade, lambda status: status.is_killed)
        code = pyotp.TOTP(SECRET).at(int(time.time()))
        right = await facade.ask(seal(Unkill(code=code), by="me", at_ns=time.time_ns()))

    assert isinstance(right, Declined)
    assert "too many wrong codes" in right.why


async def test_the_mode_of_the_first_start_is_kept_whatever_the_settings_say_later(
    tmp_path: Path,
) -> None:
    paths = prepared(tmp_path)
    paper = replace(SETTINGS, paper=PaperSettings(mode_at_first_start="paper"))
    for settings in (SETTINGS, paper):  # nobody changed the mode in the first run
        async with open_roles(settings, paths) as facade:
            status = await until(facade, lambda _status: True)

        assert status.mode is Mode.OBSERVE


async def test_a_matrix_of_prices_that_cannot_be_had_stops_nothing(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    path = shared_path(paths.run)
    other = PriceMatrix.create(path, Board([make_instrument("v")], levels_max=8), run_id="other")
    try:
        async with open_roles(SETTINGS, paths) as facade:
            status = await until(facade, lambda status: any(v.books_live for v in status.venues))
        written = other.published
    finally:
        other.close()
        path.unlink()

    assert "another engine writes the price matrix" in str(status.prices_failure)
    assert status.prices_published is None
    assert written == 0


async def test_a_loosening_that_could_not_be_stored_does_not_come_true_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepared(tmp_path)
    real_append = Outbox._append
    is_away = True

    async def append(outbox: Outbox, batch: list[Record]) -> None:
        if is_away:
            raise TransientError("away")
        await real_append(outbox, batch)

    async with open_roles(SETTINGS, paths) as facade:
        monkeypatch.setattr(Outbox, "_append", append)
        with pytest.raises(TransientError, match="nothing was changed"):
            await facade.ask(
                seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by="me", at_ns=time.time_ns())
            )
        is_away = False
        assert (await until(facade, lambda _status: True)).mode is Mode.OBSERVE
        await until(facade, lambda status: status.records_waiting == 0)
    async with open_roles(SETTINGS, paths) as facade:
        assert (await until(facade, lambda _status: True)).mode is Mode.OBSERVE
