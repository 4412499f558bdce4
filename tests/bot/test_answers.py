"""The table of other bots' commands names only commands that there are."""

import re
from pathlib import Path

from bot.command_table import COMMANDS, find

PAGE = Path(__file__).resolve().parents[2] / "docs" / "answers.md"


def test_every_command_that_answers_another_bots_exists() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    named = {name for row in rows for name in re.findall(r"`/(\w+)", row.split("|")[3])}

    assert len(rows) >= 40
    assert {name for name in named if find(name) is None} == set()
    assert len(named) >= len(COMMANDS) // 2
