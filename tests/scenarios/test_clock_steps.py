"""A whole run over steps of the wall clock and a sleep: told once, obeyed after, replayed."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.bus.command import seal
from engine.bus.notices import ClockCorrected, PaperTraded
from engine.bus.reports import Acknowledged
from engine.core.inputs.corrected import CORRECTED
from engine.domain.modes import Mode
from engine.facade.client import BusFacade
from engine.operate.clock import ELAPSED_NS, SteadyClock
from engine.operate.kill_latch import KillLatch
from engine.operate.recording import EntryKind, read_entries
from engine.requests.chat import DoneNotices
from engine.requests.safety import Kill, Pause, Resume
from engine.settings.schema import MarketsSettings, PaperSettings
from engine.tools.replaying import replay
from engine.wiring.one_process import open_roles
from engine.wiring.paths import prepare
from tests.patience import PATIENCE_S, clear_latch, insist
from tests.wiring.test_one_process import PAPER_WITH_CODES, SECRET, told, until

pytestmark = pytest.mark.slow

SECOND = 1_000_000_000
HOURS = 3_600 * SECOND


class Host:
    """The clocks of this machine, as they are after steps and sleeps."""

    def __init__(self) -> None:
        self.stepped_ns = 0
        self.slept_ns = 0

    def wall_ns(self) -> int:
        return time.time_ns() + self.stepped_ns + self.slept_ns

    def date(self, path: Path) -> None:
        """Date a file that was just written by this host's clock, as its system would."""
        os.utime(path, ns=(self.wall_ns(), self.wall_ns()))

    def make_clock(self) -> SteadyClock:
        return SteadyClock(wall_ns=self.wall_ns, elapsed_ns=lambda: ELAPSED_NS() + self.slept_ns)


async def corrections(facade: BusFacade, count: int) -> AsyncIterator[ClockCorrected]:
    """Return so many corrections from the first on, as they are told."""
    async with asyncio.timeout(PATIENCE_S):
        async for stamped in facade.notices(reader="clock"):
            if isinstance(stamped.notice, ClockCorrected):
                await insist(facade, DoneNotices(reader="clock", seq=stamped.seq))
                yield stamped.notice
                count -= 1
                if not count:
                    return


async def until_corrected_and_live(facade: BusFacade) -> ClockCorrected:
    found = [notice async for notice in corrections(facade, 1)]
    await until(facade, lambda status: any(venue.books_live for venue in status.venues))
    return found[0]


async def test_a_run_goes_on_over_steps_and_sleep_and_replays_byte_for_byte(
    tmp_path: Path,
) -> None:
    paths, host = prepare(str(tmp_path)), Host()
    clock = host.make_clock()
    # Money enough that it is the clock alone that could keep the run from trading.
    settings = replace(
        PAPER_WITH_CODES,
        markets=MarketsSettings(sandbox_speed=3.0),  # slow enough for a busy machine
        paper=PaperSettings(mode_at_first_start="paper", capital_usd=Decimal(10_000_000)),
    )
    async with open_roles(settings, paths, clock=clock) as facade:
        await told(facade, PaperTraded)
        uptime_s = (await until(facade, lambda _status: True)).uptime_s

        for stepped, slept in ((8 * HOURS, 0), (-20 * HOURS, 0), (0, 8 * HOURS)):
            host.stepped_ns += stepped
            host.slept_ns += slept
            notice = await until_corrected_and_live(facade)
            assert notice.step_ns == pytest.approx(stepped, abs=SECOND)
            assert notice.asleep_ns == pytest.approx(slept, abs=SECOND)
            assert notice.at_ns == pytest.approx(host.wall_ns(), abs=60 * SECOND)

            await insist(facade, seal(Pause(), by="me", at_ns=time.time_ns()))
            resumed = await insist(facade, seal(Resume(), by="me", at_ns=clock.now_ns()))
            assert isinstance(resumed, Acknowledged)
            assert not resumed.is_paused
            await insist(facade, seal(Kill(why="test"), by="me", at_ns=clock.now_ns()))
            host.date(KillLatch(paths.data_dir).path)
            cleared, _code = await clear_latch(
                facade, SECRET, wall_ns=host.wall_ns, given_at_ns=clock.now_ns
            )
            assert isinstance(cleared, Acknowledged), cleared
            traded = (await until(facade, lambda _status: True)).traded
            await until(facade, lambda status, traded=traded: status.traded > traded)  # type: ignore[misc]

        status = await until(facade, lambda _status: True)
        assert 0 <= status.uptime_s - uptime_s - 8 * 3_600 < 120
        assert status.mode is Mode.PAPER

    run = paths.recordings / status.run_id
    entries = list(read_entries(run))
    lines: list[bytes] = []
    result = replay(run, lines=lines)
    assert result.is_complete
    assert result.first_difference is None
    assert lines == [entry.payload for entry in entries if entry.kind == EntryKind.DECIDED]
    assert [entry.kind for entry in entries].count(CORRECTED.number) == 3
