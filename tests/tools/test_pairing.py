"""Whoever sees the terminal becomes the operator, and nobody else."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.domain.errors import FatalError, SettingsError
from engine.domain.people import Rank
from engine.settings.load import load_settings
from engine.settings.schema import Settings, TelegramSettings
from engine.tools.pairing import TRIES_MAX, Pairing, pair
from tests.patience import PATIENCE_S
from tests.telegram.emulator import TOKEN, TelegramEmulator

CODE = "12345678"
NOW_S = 1_790_000_000


def update(text: str | None = CODE, *, person_id: int = 7, **fields: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "message_id": 1,
        "date": NOW_S + 5,
        "from": {"id": person_id, "is_bot": False},
        "chat": {"id": person_id, "type": "private"},
        "text": text,
    }
    return {"update_id": 1, "message": message | fields}


BY_A_BOT = update()
BY_A_BOT["message"]["from"] = {"id": 7, "is_bot": True}


@pytest.mark.parametrize("text", [CODE, "1234 5678", "1234-5678", f" {CODE} "])
def test_who_writes_the_code_is_found(text: str) -> None:
    assert Pairing(CODE, NOW_S).person_of(update(text)) == 7


@pytest.mark.parametrize(
    "found",
    [
        update("12345679"),
        update("/start"),
        update(None),
        update("".join(chr(0xFF10 + int(digit)) for digit in CODE)),
        update(forward_origin={"type": "user"}),
        update(via_bot={"id": 9}),
        update(sender_chat={"id": 9}),
        update(edit_date=NOW_S + 6),
        update(date=NOW_S - 1),
        update(chat={"id": -5, "type": "group"}),
        update(chat={"id": 8, "type": "private"}),
        BY_A_BOT,
        {"update_id": 1, "edited_message": update()["message"]},
        {"update_id": 1, "message": "x"},
    ],
)
def test_nobody_else_is(found: dict[str, Any]) -> None:
    assert Pairing(CODE, NOW_S).person_of(found) is None


def test_guessing_ends_soon_whoever_guesses() -> None:
    pairing = Pairing(CODE, NOW_S)
    for number in range(TRIES_MAX):
        assert pairing.person_of(update(f"{number:08}", person_id=100 + number)) is None
    assert pairing.tries == TRIES_MAX
    assert pairing.person_of(update()) is None


def settings_of(emulator: TelegramEmulator) -> Settings:
    return Settings(telegram=TelegramSettings(bot_token=TOKEN, base_url=emulator.base_url))


async def test_a_phone_is_paired_a_stranger_gets_silence_and_the_id_is_kept(
    tmp_path: Path,
) -> None:
    env_file, shown = tmp_path / ".env", list[str]()
    env_file.write_text(f"TELEGRAM_BOT_TOKEN={TOKEN}\n")
    env_file.chmod(0o600)
    with pytest.raises(SettingsError, match="make pair"):
        load_settings({}, directory=tmp_path)
    async with TelegramEmulator().serve() as phone, asyncio.timeout(PATIENCE_S):
        phone.person_writes("87654321", person_id=666)
        phone.person_writes(CODE[:4] + " " + CODE[4:])
        began_s = time.time() - 60
        assert await pair(
            settings_of(phone), env_file, show=shown.append, wall_s=lambda: began_s, code=CODE
        )
        assert not phone.unconfirmed()
        (said,) = phone.transcript()

    assert "Paired" in said
    assert load_settings({}, directory=tmp_path).telegram.operator_id == 4242
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert "1234 5678" in "\n".join(shown)


async def test_another_phone_is_let_in_with_a_rank_beside_those_that_are(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nTELEGRAM_OPERATOR_ID=4242\nSYNDICATE_TELEGRAM_PEOPLE=77=viewer\n"
    )
    env_file.chmod(0o600)
    async with TelegramEmulator().serve() as phone, asyncio.timeout(PATIENCE_S):
        for person_id, is_other in ((4242, False), (5151, True)):
            settings = load_settings({}, directory=tmp_path)
            telegram = replace(settings.telegram, base_url=phone.base_url)
            began_s = time.time() - 60
            phone.person_writes(CODE, person_id=person_id)
            pairing = pair(
                replace(settings, telegram=telegram),
                env_file,
                show=lambda _: None,
                wall_s=lambda at_s=began_s: at_s,  # type: ignore[misc]
                rank=Rank.OPERATOR,
                code=CODE,
            )
            if is_other:
                assert await pairing
            else:
                with pytest.raises(FatalError, match="the owner's phone"):
                    await pairing

    people = load_settings({}, directory=tmp_path).telegram.people
    assert people == {"77": Rank.VIEWER, "5151": Rank.OPERATOR}


async def test_nobody_is_let_in_beside_an_owner_that_there_is_not(tmp_path: Path) -> None:
    settings = Settings(telegram=TelegramSettings(bot_token=TOKEN))
    with pytest.raises(FatalError, match="your own phone first"):
        await pair(settings, tmp_path / ".env", show=print, wall_s=time.time, rank=Rank.VIEWER)


async def test_without_the_code_in_time_nothing_is_kept(tmp_path: Path) -> None:
    shown = list[str]()
    async with TelegramEmulator().serve() as phone, asyncio.timeout(PATIENCE_S):
        phone.person_writes("87654321")
        assert not await pair(
            settings_of(phone),
            tmp_path / ".env",
            show=shown.append,
            wall_s=lambda: time.time() - 60,
            code=CODE,
            pair_s=0.5,
        )
    assert phone.transcript() == []
    assert "Nobody wrote it in time" in shown[-1]
    assert not (tmp_path / ".env").exists()


async def test_a_bot_that_has_its_operator_takes_no_other(tmp_path: Path) -> None:
    telegram = TelegramSettings(bot_token=TOKEN, operator_id=1, base_url="http://127.0.0.1:9/bot")
    shown = list[str]()
    assert await pair(
        Settings(telegram=telegram), tmp_path / ".env", show=shown.append, wall_s=time.time
    )
    assert "already" in shown[0]
    with pytest.raises(FatalError, match="BotFather"):
        await pair(
            Settings(telegram=replace(telegram, bot_token=None)),
            tmp_path / ".env",
            show=shown.append,
            wall_s=time.time,
        )
