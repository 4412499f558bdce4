"""The screens of the guide as texts: `python -m tests.telegram.golden`, part of `make pictures`.

A text is easily reviewed: each file has a screen's text with its markup, and its buttons below.
"""

import asyncio
from pathlib import Path
from typing import Any, Final

from bot.answer import Theme
from tests.telegram.guide import SCENES, message_of
from tests.telegram.markup import units

GOLDEN: Final = Path(__file__).with_name("golden")


def path_of(name: str) -> Path:
    """Return the file of a scene."""
    return GOLDEN / f"{name}.txt"


def golden_text(message: dict[str, Any]) -> str:
    """Return a message as a text: what stands in it, its markup, and its buttons row by row."""
    rows = ["".join(_button(key) for key in row) for row in message["buttons"]]
    return "\n".join([_marked(message["text"], message["spans"]), "", *rows]).rstrip() + "\n"


def _marked(text: str, spans: list[tuple[str, int, int]]) -> str:
    opened: dict[int, list[str]] = {}
    closed: dict[int, list[str]] = {}
    for kind, start, length in sorted(spans, key=lambda span: (span[1], -span[2])):
        opened.setdefault(start, []).append(f"<{kind}>")
        closed.setdefault(start + length, []).insert(0, f"</{kind}>")
    parts: list[str] = []
    at = 0
    for char in text:
        parts += [*closed.get(at, ()), *opened.get(at, ()), char]
        at += units(char)
    return "".join([*parts, *closed.get(at, ())])


def _button(key: dict[str, Any]) -> str:
    style = f" ({key['style']})" if key["style"] else ""
    return f"[{key['text']}{style}]"


async def _write() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for scene in SCENES:
        message = await message_of(scene, draw_chart=None, theme=Theme.LIGHT)
        path_of(scene.name).write_text(golden_text(message), encoding="utf-8")
    for path in GOLDEN.glob("*.txt"):
        if path not in map(path_of, (scene.name for scene in SCENES)):
            path.unlink()


if __name__ == "__main__":
    asyncio.run(_write())
