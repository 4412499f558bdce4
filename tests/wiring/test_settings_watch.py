"""Files of settings that change while it runs: what the supervisor makes of them."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.bus.reports import Acknowledged, Declined
from engine.decide.limit_list import LIMITS, terms_of
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.requests.settings import OfferSettings
from engine.settings.load import load_settings, load_with_origins
from engine.settings.running import changed_at_start, running_settings, running_values
from engine.settings.schema import LimitsSettings, Settings
from engine.wiring.settings_watch import Adopted, SettingsWatch

TAKEN = Acknowledged(text="", is_killed=False, is_paused=False, mode=Mode.OBSERVE)


class Answering:
    """An engine that gives answers of a list, and keeps what it was asked."""

    def __init__(self, *answers: Acknowledged | Declined | None) -> None:
        self.answers = list(answers)
        self.asked: list[OfferSettings] = []

    async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> Any:
        """Have a request answered; None is an engine that is away."""
        del timeout_s
        self.asked.append(request)
        answer = self.answers.pop(0)
        if answer is None:
            raise TransientError("the engine is away")
        return answer


class Files:
    """An installation's `.env`, watched."""

    def __init__(self, directory: Path, engine: Answering, text: str = "") -> None:
        self.path = directory / ".env"
        self.write(text)
        started = load_settings({}, directory=directory)
        self.adopted = Adopted()
        self.watch = SettingsWatch(
            started=started,
            adopted=self.adopted,
            engine=engine,
            engine_id="main",
            environment={},
            directory=directory,
            clock=lambda: 1,
        )

    def write(self, text: str) -> None:
        """Write it, later than before as far as the file system can tell."""
        before = self.path.stat().st_mtime_ns if self.path.exists() else 0
        self.path.write_text(text)
        self.path.chmod(0o600)
        os.utime(self.path, ns=(before + 10**9, before + 10**9))

    async def look(self, times: int = 2) -> None:
        """Look so often."""
        for _ in range(times):
            await self.watch.look()


async def test_a_file_that_stays_as_it_is_is_told_to_nobody(tmp_path: Path) -> None:
    engine = Answering()
    files = Files(tmp_path, engine, "SYNDICATE_LIMITS_POSITION_USD=500\n")

    await files.look(5)

    assert not engine.asked


async def test_a_changed_file_goes_to_the_engine_once_it_stands_still(tmp_path: Path) -> None:
    engine = Answering(TAKEN)
    files = Files(tmp_path, engine, "SYNDICATE_LIMITS_POSITION_USD=500\n")
    files.write("SYNDICATE_LIMITS_POSITION_USD=400\nSYNDICATE_LOG_LEVEL=debug\n")

    await files.look(1)
    files.write("SYNDICATE_LIMITS_POSITION_USD=300\nSYNDICATE_LOG_LEVEL=debug\n")
    await files.look(1)
    assert not engine.asked
    await files.look(3)

    (asked,) = engine.asked
    assert asked.values["position_usd"] == 300
    assert asked.at_next_start == ("log.level",)
    assert asked.envelope is not None
    assert (asked.envelope.by, asked.envelope.target) == ("file", "main")


async def test_what_the_engine_took_holds_for_the_next_engine(tmp_path: Path) -> None:
    files = Files(tmp_path, Answering(TAKEN), "")
    files.write("SYNDICATE_LIMITS_POSITION_USD=300\nSYNDICATE_LIMITS_ORDERS_PER_MINUTE_MAX=10\n")
    await files.look()

    limits = files.adopted.over(Settings()).limits

    assert limits.position_usd == 300
    assert limits.orders_per_minute_max == 10
    assert isinstance(limits.orders_per_minute_max, int)


async def test_what_waits_for_a_word_is_asked_again_and_not_taken_before(tmp_path: Path) -> None:
    waits = Declined(why="waits for /reload", needs_confirmation=True)
    engine = Answering(waits, None, waits, TAKEN)
    files = Files(tmp_path, engine, "")
    files.write("SYNDICATE_LIMITS_POSITION_USD=1500\n")

    await files.look(4)
    assert files.adopted.over(Settings()) == Settings()
    await files.look(3)

    assert files.adopted.over(Settings()).limits.position_usd == 1_500
    assert len(engine.asked) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SYNDICATE_LIMITS_POSITION_USD=-1\n", "POSITION_USD in"),
        ("SYNDICATE_LIMITS_POSITION_USD=100\nSYNDICATE_NOTHING=1\n", "unknown setting"),
        ("SYNDICATE_LIMITS_POSITION_USD\n", "has no ="),
        ("TELEGRAM_BOT_TOKEN=123:abc\n", ""),
    ],
)
async def test_a_file_that_is_wrong_anywhere_changes_nothing_and_is_told(
    tmp_path: Path, text: str, said: str
) -> None:
    engine = Answering(Declined(why="so it is"))
    files = Files(tmp_path, engine, "")
    files.write(text)

    await files.look(4)

    (asked,) = engine.asked
    assert said in asked.trouble
    assert asked.trouble
    assert not asked.values
    assert files.adopted.over(Settings()) == Settings()


def test_settings_that_may_change_are_those_that_limits_go_by_and_tighten_alike() -> None:
    declared = {(section, name): way == "up" for section, name, way in running_settings()}

    assert declared == {(one.section, one.name): one.is_floor for one in terms_of(LIMITS)}


def test_no_value_of_another_setting_is_told(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SYNDICATE_DOOR_KILL_SECRET=0123456789abcdef0123456789abcdef\n")
    (tmp_path / ".env").chmod(0o600)
    now = load_settings({}, directory=tmp_path)

    assert changed_at_start(Settings(), now) == ("door.kill_secret",)
    assert running_values(now) == running_values(Settings())


def test_where_a_setting_stands_is_known(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\nSYNDICATE_LIMITS_POSITION_USD=500\n")
    (tmp_path / ".env").chmod(0o600)
    (tmp_path / "syndicate.toml").write_text("[limits]\ndaily_loss_usd = 1\nposition_usd = 2\n")

    loaded = load_with_origins({"SYNDICATE_LOG_LEVEL": "debug"}, directory=tmp_path)

    assert loaded.settings.limits == LimitsSettings(
        position_usd=Decimal(500), daily_loss_usd=Decimal(1)
    )
    assert loaded.origins == {
        "limits.position_usd": ".env, line 2",
        "limits.daily_loss_usd": "syndicate.toml, line 2",
        "log.level": "the environment",
    }
