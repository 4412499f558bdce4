"""Every screen on a phone: twelve lines, 36 characters, buttons that hold their words.

The guide's pictures are of these screens; `make pictures` draws them anew.
"""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.answer import Theme
from bot.command_table import COMMANDS
from bot.render.pages import ROWS_MAX, make_pages
from bot.render.screen import WIDTH
from tests.bot.fake_facade import FakeFacade
from tests.bot.test_commands_end_to_end import EXAMPLES
from tests.telegram.guide import (
    PICTURE_BYTES_MAX,
    SCENES,
    Scene,
    answer_of,
    draw,
    message_of,
    page,
    phone_of,
    shown,
)
from tests.telegram.markup import Span
from tests.telegram.picture import PALETTES, bubble_rows

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide"
KEYS_IN_A_ROW_MAX = 3


def check(message: dict[str, Any]) -> None:
    """Check what a phone shows of a message."""
    spans = [Span(*span) for span in message["spans"]]
    assert bubble_rows(message["text"], spans) <= ROWS_MAX == 12, message["text"]
    for kind, start, length in message["spans"]:
        if kind == "pre":
            units = message["text"].encode("utf-16-le")[2 * start : 2 * (start + length)]
            widest = max(len(row) for row in units.decode("utf-16-le").split("\n"))
            assert widest <= WIDTH == 36
    assert max((len(row) for row in message["buttons"]), default=0) <= KEYS_IN_A_ROW_MAX
    assert phone_of(message, theme=Theme.LIGHT).overlong_labels() == []


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
async def test_every_screen_of_the_guide_fits_a_phone(scene: Scene) -> None:
    check(await message_of(scene, draw_chart=None, theme=Theme.LIGHT))


@pytest.mark.parametrize("name", [entry.name for entry in COMMANDS])
async def test_every_page_of_every_command_fits_a_phone_with_its_buttons(name: str) -> None:
    answer, asked = await answer_of(EXAMPLES[name][0], FakeFacade())

    for number in range(1, len(make_pages(answer.screen)) + 1):
        check(shown(answer, asked, page=number))


@pytest.mark.parametrize("theme", list(Theme))
async def test_a_screen_is_drawn_in_its_theme_and_small_enough_for_a_page(theme: Theme) -> None:
    overview = next(scene for scene in SCENES if scene.name == "overview")
    message = await message_of(overview, draw_chart=None, theme=theme)

    picture = draw(message, theme=theme)

    file = io.BytesIO()
    picture.save(file, format="png", optimize=True)
    assert len(file.getvalue()) < PICTURE_BYTES_MAX
    wall = Image.new("RGB", (1, 1), PALETTES[theme].wall).getpixel((0, 0))
    beside = picture.convert("RGB").getpixel((2, picture.height // 2))
    assert isinstance(wall, tuple)
    assert isinstance(beside, tuple)
    assert all(abs(one - other) < 12 for one, other in zip(wall, beside, strict=True))


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_the_guide_has_each_screen_in_light_and_dark(scene: Scene) -> None:
    for theme in Theme:
        path = GUIDE / f"{scene.name}-{theme}.png"
        assert path.is_file(), "run: make pictures"
        assert path.stat().st_size < PICTURE_BYTES_MAX
        assert path.name in page()


def test_the_page_of_the_guide_is_what_it_is_made_of() -> None:
    assert (GUIDE / "README.md").read_text(encoding="utf-8") == page(), "run: make pictures"
