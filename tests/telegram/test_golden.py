"""Every screen is the one that was reviewed, as a text and as the picture in the guide."""

import difflib
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageChops

from bot.answer import Picture, Theme
from bot.chart_look import LOOKS
from bot.charts import _encode
from bot.draw_chart import DRAWINGS
from tests.bot.test_guide import GUIDE
from tests.telegram.golden import GOLDEN, golden_text, path_of
from tests.telegram.guide import SCENES, Scene, message_of, small_picture

SHADES_MAX = 96
"""A picture of the guide has 64 colours, which shifts a point by 71 of 255 shades at most. A letter
that is another one is twice that away."""

every_scene = pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
both_themes = pytest.mark.parametrize("theme", list(Theme))


async def draw_here(chart: Picture, theme: Theme) -> bytes:
    """Draw without a process for each chart."""
    given = json.loads(_encode(chart, theme))
    return DRAWINGS[given["kind"]](given, LOOKS[given["theme"]])


def shades_between(message: dict[str, Any], scene: Scene, theme: Theme) -> int:
    """Return by how much a message differs from its picture at most; all, if in its size."""
    drawn = small_picture(message, theme=theme).convert("RGB")
    with Image.open(GUIDE / f"{scene.name}-{theme}.png") as file:
        shown = file.convert("RGB")
    if drawn.size != shown.size:
        return 255
    return int(np.asarray(ImageChops.difference(drawn, shown)).max())


@every_scene
async def test_every_screen_says_what_was_reviewed(scene: Scene) -> None:
    says = golden_text(await message_of(scene, draw_chart=None, theme=Theme.LIGHT))
    reviewed = path_of(scene.name).read_text(encoding="utf-8")

    changes = difflib.unified_diff(
        reviewed.splitlines(), says.splitlines(), "reviewed", "now", lineterm=""
    )
    assert says == reviewed, "\n".join(["review, then run: make pictures", *changes])


def test_no_text_is_left_of_a_screen_that_is_gone() -> None:
    assert set(GOLDEN.iterdir()) == {path_of(scene.name) for scene in SCENES}


@both_themes
@every_scene
async def test_every_picture_of_the_guide_is_what_a_phone_shows(scene: Scene, theme: Theme) -> None:
    message = await message_of(scene, draw_chart=draw_here, theme=theme)

    assert shades_between(message, scene, theme) <= SHADES_MAX, "review, then run: make pictures"


@both_themes
async def test_one_other_digit_in_a_picture_is_noticed(theme: Theme) -> None:
    scene = next(scene for scene in SCENES if scene.name == "trades")
    message = await message_of(scene, draw_chart=None, theme=theme)
    digit = next(char for char in message["text"] if char in "369")

    message["text"] = message["text"].replace(digit, "8", 1)

    assert shades_between(message, scene, theme) > SHADES_MAX
