"""The bot token never leaves: not in logs, representations, tracebacks or answers."""

import io
import logging

import pytest

from bot.render.clean import clean
from engine.domain.errors import FatalError
from engine.domain.redaction import redact
from engine.facade.front_end import FrontEndSettings
from engine.operate.logs import LogFormatter
from tests.bot.conftest import Chat
from tests.bot.people import OWNER
from tests.telegram.emulator import TOKEN
from tests.telegram.faults import Fault, Kind

TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def test_settings_never_show_the_token() -> None:
    settings = FrontEndSettings(telegram_token=TOKEN, telegram_people=(OWNER,))
    assert TOKEN not in repr(settings)
    assert TOKEN not in str(settings)


@pytest.mark.parametrize(
    "settings",
    [FrontEndSettings(telegram_token=TOKEN), FrontEndSettings(telegram_people=(OWNER,))],
)
def test_half_a_telegram_configuration_is_refused(settings: FrontEndSettings) -> None:
    with pytest.raises(FatalError, match="TELEGRAM_BOT_TOKEN and TELEGRAM_OPERATOR_ID") as caught:
        _ = settings.has_telegram
    assert TOKEN not in str(caught.value)


def test_ordinary_text_is_left_alone() -> None:
    for text in (
        "12:34:56 price 64001.02 id r7-12 sha 0a1b2c",
        "Telegram refuses the bot token; ask @BotFather for the token of your bot",
        "TELEGRAM_BOT_TOKEN is missing: set it",
        "internationalisation of MultipleResultsFoundErrors",
    ):
        assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f"“{TOKEN}” is not a command",
        f"Unknown: {TOTP.lower()}",
        f"{TOKEN[:20]}\u200b{TOKEN[20:]}",
        f"{'x' * 30} {TOKEN}",
        "postgresql://me:AAaaBBbbCCcc@host/name",
        "it says password=AAaaBBbbCCcc&x=1",
        '{"bot_token": "AAaaBBbbCCcc", "x": 1}',
        "totp_secret = 'AAaaBBbbCCcc'",
        "Authorization: Bearer AAaaBBbbCCcc",
    ],
)
@pytest.mark.parametrize("limit", [40, 400])
def test_no_chat_shows_what_looks_like_a_secret(text: str, limit: int) -> None:
    shown = clean(text, limit=limit)

    for secret in (TOKEN.partition(":")[2], TOTP.lower(), "AAaaBBbbCCcc"):
        assert secret[:8] not in shown


async def test_no_token_in_the_logs_of_a_troubled_hour(
    chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        chat.emulator.script(
            "getUpdates",
            Fault(Kind.SERVER_ERROR),
            Fault(Kind.GARBAGE),
            Fault(Kind.CUT),
            Fault(Kind.CONFLICT),
        )
        chat.emulator.script("sendMessage", Fault(Kind.CUT), Fault(Kind.BAD_MARKUP))
        chat.emulator.script("getMe", Fault(Kind.CUT))
        async with chat.start():
            await chat.say("/kill")
        with pytest.raises(FatalError):
            async with chat.start_with(telegram_token=TOKEN[:-1] + "Z") as serving:
                await serving
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    assert stream.getvalue()
    assert TOKEN.partition(":")[2][:20] not in stream.getvalue()
