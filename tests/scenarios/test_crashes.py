import random
from pathlib import Path

import pytest

from tests.scenarios.campaign import kill_and_check
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


async def test_what_the_chat_acknowledged_is_there_after_any_role_was_killed(
    tmp_path: Path,
) -> None:
    async with TelegramEmulator().serve() as phone:
        result = await kill_and_check(
            tmp_path / "var", phone, kills=3, source=random.Random(3), starts_again=False
        )

    assert result.acknowledged_trades > 0
    assert result.lost == []
    assert result.kills == 3
