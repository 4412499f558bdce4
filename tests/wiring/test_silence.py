"""The dead-man timer: it asks, then pauses; a sign of life and nothing else holds it off."""

import time
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.notice_buttons import buttons_of
from engine.bus.command import seal
from engine.bus.notices import ModeChanged, StillThere
from engine.domain.modes import Basis
from engine.operate.clock import SteadyClock
from engine.operate.silence import Silence
from engine.operate.silence_watch import BY
from engine.requests.limits import SetLimit
from engine.requests.overview import GetStatus
from engine.requests.presence import SignOfLife
from engine.settings.schema import MarketsSettings, OperatorSettings
from engine.wiring.one_process import open_roles
from tests.patience import insist
from tests.storage.model import prepared
from tests.wiring.test_one_process import SETTINGS, told, until

HOUR_NS = 3_600 * 10**9


@pytest.mark.slow
async def test_silence_is_asked_about_and_then_pauses_over_restarts_and_a_sign_holds_it_off(
    tmp_path: Path,
) -> None:
    # No opportunity is waited for.
    calm = MarketsSettings(sandbox_speed=1.0)
    settings = replace(SETTINGS, markets=calm, operator=OperatorSettings(silence_h_max=24))
    paths = prepared(tmp_path)

    def at(hours: float) -> SteadyClock:
        return SteadyClock(wall_ns=lambda: time.time_ns() + int(hours * HOUR_NS))

    async with open_roles(settings, paths) as facade:
        assert not (await insist(facade, GetStatus())).is_paused
    async with open_roles(settings, paths, clock=at(22)) as facade:
        asked = await told(facade, StillThere)
        assert isinstance(asked, StillThere)
        assert 21 * 3_600 < asked.silent_s < 23 * 3_600
        assert not (await insist(facade, GetStatus())).is_paused
        await insist(facade, SignOfLife())
    async with open_roles(settings, paths, clock=at(26)) as facade:
        await until(facade, lambda status: status.uptime_s >= 2)
        assert not (await insist(facade, GetStatus())).is_paused
        shorter = SetLimit(name="silence_h_max", value=Decimal(2))
        await insist(facade, seal(shorter, by="me", at_ns=time.time_ns() + 26 * HOUR_NS))
        status = await until(facade, lambda status: status.is_paused)
        assert not status.is_killed
        changed = await told(facade, ModeChanged)
        assert isinstance(changed, ModeChanged)
        assert (changed.is_paused, changed.by) == (True, BY)


def test_the_question_has_a_button_that_is_an_answer() -> None:
    asked = StillThere(at_ns=1, basis=Basis.SANDBOX, silent_s=1, pauses_at_ns=2)
    ((here, _),) = buttons_of(asked)
    assert (here.label, here.line) == ("Still here", "/status")


def test_a_sign_is_kept_and_is_never_ahead_of_now(tmp_path: Path) -> None:
    now = [1_000 * HOUR_NS]
    first = Silence(tmp_path, lambda: now[0])
    assert first.seen_ns == now[0]
    now[0] += HOUR_NS
    assert Silence(tmp_path, lambda: now[0]).seen_ns == 1_000 * HOUR_NS, "a restart is no sign"
    first.sign()
    assert Silence(tmp_path, lambda: now[0]).seen_ns == now[0]
    now[0] -= 5 * HOUR_NS
    assert Silence(tmp_path, lambda: now[0]).seen_ns == now[0]
