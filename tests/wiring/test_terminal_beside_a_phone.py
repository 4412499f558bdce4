"""A terminal's chat, for another engine perhaps, beside the phone's, of which there is one."""

from pathlib import Path

from engine.bus.lease import held_lease
from engine.wiring.front_end import open_front_end
from engine.wiring.paths import prepare


async def test_a_terminal_neither_needs_nor_takes_what_is_the_phones(tmp_path: Path) -> None:
    environment = {
        "SYNDICATE_DATA_DIR": str(tmp_path),
        "SYNDICATE_ENGINE_ID": "base",
        "TELEGRAM_BOT_TOKEN": "123456:" + "A" * 35,
        "TELEGRAM_OPERATOR_ID": "42",
    }
    with held_lease(prepare(str(tmp_path)).lease("bot"), what="bot"):
        opened = open_front_end(environment, directory=tmp_path, is_terminal=True)
        async with opened as front_end:
            assert not front_end.settings.has_telegram
            assert front_end.settings.engine_id == "base"
