"""Write docs/commands.md from the command table: `python -m bot.docs`."""

from pathlib import Path

from bot.command_table import COMMANDS
from bot.render.docs import render_docs

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render_docs(COMMANDS), encoding="utf-8")


if __name__ == "__main__":
    main()
