"""Write docs/commands.md from the command table: `python -m bot.docs`; `--check` compares only."""

import sys
from collections.abc import Sequence
from pathlib import Path

from bot.command_table import COMMANDS
from bot.render.docs import render_docs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"


def main(arguments: Sequence[str], page: Path = PAGE) -> int:
    """Write the page; with `--check` only say whether it is what the table says, by 0 or 1."""
    wanted = render_docs(COMMANDS)
    if "--check" in arguments:
        if page.exists() and page.read_text(encoding="utf-8") == wanted:
            return 0
        sys.stderr.write(f"docs/{page.name} is not what the command table says: make docs\n")
        return 1
    page.parent.mkdir(exist_ok=True)
    page.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
