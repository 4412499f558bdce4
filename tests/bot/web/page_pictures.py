"""Draw every screen of the page for the guide, light and dark, and say how quick it is:
`python -m tests.bot.web.page_pictures docs/guide`.
"""

import asyncio
import gzip
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from PIL import Image

from bot.answer import Theme
from bot.web.api_keys import ApiKeys
from bot.web.page_files import FOLDER
from engine.domain.people import Rank
from tests.bot import samples
from tests.bot.conftest import Clock
from tests.bot.fake_facade import FakeFacade
from tests.bot.web.browser import find_chromium, open_page, run_chromium
from tests.bot.web.conftest import Web, serving
from tests.bot.web.page_rig import SCREENS, come_in, show

SAYS: Final = {
    "Overview": "What it came to, how it stands, and what is new; pause and kill.",
    "Finds": "Gaps between all books after costs, and the opportunities of the most worth.",
    "Trades": "Each trade as it is stored; a tap says why.",
    "Risk": "What waits for your word, and what of each limit is used.",
    "Inventory": "What is held, by asset and place.",
    "System": "Memory, venues, roles, background work.",
    "Reports": "What a time came to: profit and falls, costs, routes, what was missed.",
    "Settings": "Who you are here, how it looks, and a line as in the chat.",
}
TIMES: Final = 20


def render_page() -> str:
    """Return the page of the guide with all pictures."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# The page, screen by screen\n"
    yield (
        "Made by `make page-pictures`, in a real Chromium of 360 x 640 pixels. How to have it:"
        " [ways-in.md](../ways-in.md#the-page).\n"
    )
    for name, says in SAYS.items():
        file = f"page-{name.lower()}"
        yield f"## {name}\n\n{says}\n\n<picture>"
        yield f'<source media="(prefers-color-scheme: dark)" srcset="{file}-dark.png">'
        yield f'<img src="{file}-light.png" alt="{says}" width="360">\n</picture>\n'


async def draw(address: str, web: Web, directory: Path) -> None:
    """Write all pictures."""
    for theme in Theme:
        async with open_page(address, scale=2.0) as page:
            await page.look(theme)
            await come_in(page, web)
            for name in SCREENS:
                web.clear_paces()
                await show(page, name)
                picture = Image.open(io.BytesIO(await page.picture()))
                path = directory / f"page-{name.lower()}-{theme}.png"
                picture.convert("P", palette=Image.Palette.ADAPTIVE).save(path, optimize=True)
                print(f"{path.name}: {path.stat().st_size:,} bytes")
            assert page.troubles == [], page.troubles


async def measure(address: str, web: Web) -> None:
    """Say how soon something is painted, and how soon after a trade its row stands there."""
    paints = []
    for _ in range(TIMES):
        async with open_page(address) as page:
            await page.go(f"{web.base}/app")
            await page.wait("document.querySelector('#key')")
            paints.append(
                await page.wait(
                    "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
                )
            )
    rows = []
    async with open_page(address) as page:
        await come_in(page, web)
        await show(page, "Trades")
        await page.wait("document.querySelector('#live').textContent === 'connected'")
        await page.value(
            "window.came = {}, new MutationObserver(() => { for (const one of"
            " document.querySelectorAll('#trades .row')) came[one.dataset.trade] ??= Date.now(); })"
            ".observe(document.querySelector('#screen'), { childList: true, subtree: true })"
        )
        for number in range(TIMES):
            told_ms = time.time() * 1_000
            web.facade.tell(replace(samples.traded(), execution_id=f"m{number}"))
            rows.append(await page.wait(f"came.m{number}") - told_ms)
    files = [one for one in FOLDER.iterdir() if one.suffix in {".html", ".css", ".js"}]
    packed = sum(len(gzip.compress(one.read_bytes(), 9)) for one in files)
    for name, found in (("first paint", paints), ("row after its trade", rows)):
        print(f"{name}: {statistics.median(found):.0f} ms, at most {max(found):.0f} (n={TIMES})")
    print(f"all files, packed: {packed / 1_000:.1f} kB")


async def main(address: str, directory: Path) -> None:
    keys = Path(tempfile.mkdtemp())
    store = ApiKeys(keys)
    made = {rank: store.add(f"a-{rank}", rank, clock=Clock()) for rank in Rank}
    async with serving(Path(tempfile.mkdtemp()), (keys, made), FakeFacade()) as web:
        await draw(address, web, directory)
        web.clear_paces()
        await measure(address, web)
    (directory / "page.md").write_text(render_page(), encoding="utf-8")


if __name__ == "__main__":
    program = find_chromium()
    if program is None:
        raise SystemExit("there is no Chromium: tests/bot/web/get_chromium .venv gets one")
    with tempfile.TemporaryDirectory() as profile, run_chromium(program, Path(profile)) as address:
        asyncio.run(main(address, Path(sys.argv[1])))
