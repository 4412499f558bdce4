"""A chat whose token Telegram refused for good is tried again after five minutes."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from engine.operate import exit_codes
from engine.operate.supervisor import LEFT_OUT_S, Supervisor
from engine.settings.load import load_settings
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs
from tests.scenarios.rig import environment
from tests.telegram.emulator import OPERATOR_ID, TelegramEmulator

pytestmark = pytest.mark.slow

STEP_S = 5.0


class Skipping:
    """The time by which the supervisor waits; it can be made to pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._real_s = loop.time
        self._skipped_s = 0.0
        monkeypatch.setattr(loop, "time", self)

    def __call__(self) -> float:
        return self._real_s() + self._skipped_s

    async def skip(self, seconds: float) -> None:
        """Let this time pass, in steps, after each of which whatever is due begins."""
        for _ in range(round(seconds / STEP_S)):
            self._skipped_s += STEP_S
            await asyncio.sleep(0)


def write_token(directory: Path, token: str) -> None:
    path = directory / ".env"
    path.touch(mode=0o600)
    path.write_text(f"TELEGRAM_BOT_TOKEN={token}\n")


async def test_a_chat_comes_back_five_minutes_after_its_refused_token_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = environment(tmp_path / "var", TELEGRAM_OPERATOR_ID=str(OPERATOR_ID))
    for name in set(os.environ) - set(own):
        monkeypatch.delenv(name)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    async with TelegramEmulator().serve() as phone:
        monkeypatch.setenv("SYNDICATE_TELEGRAM_BASE_URL", phone.base_url)
        write_token(tmp_path, phone.token[:-3] + "xyz")
        settings = load_settings(os.environ, directory=tmp_path)
        specs = role_specs(settings, prepare(str(tmp_path / "var")), has_bot=True)
        (bot,) = [spec for spec in specs if spec.name == "bot"]
        clock = Skipping(monkeypatch)
        begun_s: list[float] = []
        left_out_s: asyncio.Queue[float] = asyncio.Queue()

        def bot_environment() -> Mapping[str, str]:
            begun_s.append(clock())
            assert bot.environment is not None
            return bot.environment()

        supervisor = Supervisor(
            [replace(bot, environment=bot_environment)],
            on_restart=lambda *_: None,
            on_left_out=lambda _: left_out_s.put_nowait(clock()),
        )
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(supervisor.run(stop, on_ready=ready.set))
        ended_s = await left_out_s.get()
        await ready.wait()
        assert not running.done(), "the others would go on without it"

        write_token(tmp_path, phone.token)
        await clock.skip(LEFT_OUT_S)
        phone.person_writes("/help")
        await phone.wait_until(lambda: "/status" in "".join(phone.transcript()))
        stop.set()

        assert await running == exit_codes.OK
        assert len(begun_s) == 2
        assert begun_s[1] >= ended_s + LEFT_OUT_S
