"""What a kill leaves is told, and a drill leaves nothing."""

import time
from pathlib import Path

import pytest

from engine.bus.command import seal
from engine.bus.kill_reports import AftermathReport, DrillReport
from engine.bus.notices import Killed, KillLeft
from engine.bus.reports import AuditReport, Declined
from engine.requests.audit import GetAudit
from engine.requests.kills import DrillKill, GetAftermath
from engine.requests.overview import GetStatus
from engine.requests.safety import Kill
from engine.settings.schema import MarketsSettings, PaperSettings, Settings
from engine.wiring.one_process import open_roles
from tests.patience import insist
from tests.storage.model import prepared
from tests.wiring.test_one_process import told, until

pytestmark = pytest.mark.slow


async def test_what_a_kill_left_is_told_and_what_changed_since_is_shown(tmp_path: Path) -> None:
    # One process has to keep up with this market beside two other tests.
    markets = MarketsSettings(sandbox_speed=3.0)
    paper = Settings(markets=markets, paper=PaperSettings(mode_at_first_start="paper"))
    async with open_roles(paper, prepared(tmp_path)) as facade:
        await until(facade, lambda status: status.traded > 0)

        drilled = await insist(facade, seal(DrillKill(), by="me", at_ns=time.time_ns()))
        assert isinstance(drilled, DrillReport)
        assert drilled.is_clear
        assert not (await insist(facade, GetStatus())).is_killed
        audit = await insist(facade, GetAudit())
        assert isinstance(audit, AuditReport)
        assert audit.lines[0].action.startswith("drill: held in ")

        await insist(facade, seal(Kill(why="for good"), by="me", at_ns=time.time_ns()))
        killed = await told(facade, Killed)
        assert isinstance(killed, Killed)
        assert killed.why == "for good", "a drill is no kill to be told"
        left = await told(facade, KillLeft)
        assert isinstance(left, KillLeft)
        assert left.plans == 0
        await until(facade, lambda status: status.refused.get("killed", 0) > 0)
        report = await insist(facade, GetAftermath())
        assert isinstance(report, AftermathReport)
        assert (report.is_killed, report.plans) == (True, 0)
        assert "for good" in report.why
        assert report.refused > 0
        assert 0 < report.since_ns <= time.time_ns()
        again = await insist(facade, seal(DrillKill(), by="me", at_ns=time.time_ns()))
        assert isinstance(again, Declined)
        assert (await insist(facade, GetStatus())).is_killed
