"""Write a screen as plain text for a terminal."""

from bot.render.clean import shown
from bot.render.screen import Screen, Text, monospace_rows


def write_plain(screen: Screen) -> str:
    """Return the screen as lines of text without any control character."""
    lines = [shown(screen.mark + screen.title)]
    for block in screen.blocks:
        if isinstance(block, Text):
            lines.append(shown(block.text))
        else:
            lines += ["  " + row for row in monospace_rows(block)]
    if screen.note:
        lines.append(f"({shown(screen.note)})")
    return "\n".join(lines)
