"""The page in a real Chromium: what it shows, what it does, and what it refuses to."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest
from aiohttp import web as web_server
from msgspec.structs import replace

from bot.answer import Theme
from bot.web.page_files import FOLDER
from engine.bus.notices import Notice, PaperTraded
from engine.domain.people import Rank
from tests.bot import samples
from tests.bot.web.browser import Page, find_chromium, open_page, run_chromium
from tests.bot.web.conftest import MadeKeys, Web, serving
from tests.bot.web.page_pictures import render_page
from tests.bot.web.page_rig import (
    HOSTILE,
    SCREENS,
    HostileFacade,
    address_in_telegram,
    come_in,
    hostile,
    show,
    with_telegram,
)
from tests.patience import PATIENCE_S

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide"
BYTES_MAX = 150_000
THUMB_PX = 44
READABLE = 4.5
"""Least contrast of text, by WCAG AA."""


_WORST_CONTRAST = (
    "(() => { const colour = (name) => getComputedStyle(document.documentElement)"
    ".getPropertyValue(name).trim();"
    " const light = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)"
    ".map((one) => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4)"
    ".reduce((sum, one, at) => sum + one * [0.2126, 0.7152, 0.0722][at], 0);"
    " const ratio = (a, b) => { const [x, y] = [light(colour(a)), light(colour(b))];"
    " return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };"
    " return Math.min(...['--text', '--hint', '--accent', '--good', '--bad', '--warn']"
    ".flatMap((one) => [ratio(one, '--bg'), ratio(one, '--card')]),"
    " ratio('--on-accent', '--accent')); })()"
)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = find_chromium()
    if program is None:
        pytest.skip("there is no Chromium: tests/bot/web/get_chromium .venv gets one")
    with run_chromium(program, tmp_path_factory.mktemp("chromium")) as address:
        yield address


@pytest.fixture
async def page(chromium: str) -> AsyncIterator[Page]:
    async with open_page(chromium) as opened:
        yield opened


def test_the_page_is_small_and_asks_nobody_but_the_gateway_for_it() -> None:
    files = [one for one in FOLDER.iterdir() if one.suffix in {".html", ".css", ".js"}]

    assert sum(len(gzip.compress(one.read_bytes())) for one in files) < BYTES_MAX
    for one in files:
        text = one.read_text(encoding="utf-8")
        assert "innerHTML" not in text or one.name.startswith("uPlot"), one.name
        assert "outerHTML" not in text
        assert "insertAdjacentHTML" not in text
        assert "eval(" not in text


def test_every_notice_that_the_page_listens_for_is_one() -> None:
    text = (FOLDER / "api.js").read_text(encoding="utf-8")
    listed = text.partition("export const NOTICES = [")[2].partition("]")[0]

    names = {part.strip().strip('"') for part in listed.split(",") if part.strip()}
    assert len(names) > 20
    assert names <= {one.__name__ for one in Notice.__args__}


def test_the_guide_has_each_screen_of_the_page_in_light_and_dark() -> None:
    assert (GUIDE / "page.md").read_text(encoding="utf-8") == render_page(), "make page-pictures"
    for name in SCREENS:
        for theme in Theme:
            assert (GUIDE / f"page-{name.lower()}-{theme}.png").is_file(), "make page-pictures"


async def test_every_screen_shows_its_figures_on_a_small_phone(page: Page, web: Web) -> None:
    await come_in(page, web)
    for name in SCREENS:
        web.clear_paces()
        await show(page, name)

        wide = await page.value("document.documentElement.scrollWidth")
        assert wide <= 360, name
        small = await page.value(
            "[...document.querySelectorAll('button, input')].filter((one) => one.offsetParent &&"
            f" one.getBoundingClientRect().height < {THUMB_PX - 1}).map((one) => one.textContent)"
        )
        assert not small, name
    assert page.troubles == []
    assert all(one.startswith(web.base) for one in page.asked)


async def test_text_can_be_read_in_both_themes(page: Page, web: Web) -> None:
    await come_in(page, web)

    for theme, ground in (("light", "rgb(242, 243, 245)"), ("dark", "rgb(16, 22, 29)")):
        await page.look(theme)
        drawn = "getComputedStyle(document.documentElement).backgroundColor"
        assert await page.value(drawn) == ground
        assert await page.value(_WORST_CONTRAST) >= READABLE, theme


async def test_inside_telegram_the_page_lets_its_person_in_and_wears_its_colours(
    page: Page, web: Web
) -> None:
    page.fulfil = with_telegram
    await page.go(address_in_telegram(web, 7, bg_color="#101010", text_color="#fefefe"))
    await page.wait("document.querySelector('#pnl-chart')")
    await page.wait("window.heard?.includes('expand')")

    colour = await page.value("getComputedStyle(document.body).color")
    assert colour == "rgb(254, 254, 254)"
    assert await page.value("document.documentElement.dataset.look") == "dark"
    assert "telegram:7" in await show(page, "Settings")
    # A reload shows the same opening, which is used up: the session goes on by its own token.
    await page.send("Page.reload")
    await page.wait("document.title && document.querySelector('#pnl-chart')")
    assert page.troubles == []


async def test_somebody_whom_the_bot_does_not_know_stays_outside(page: Page, web: Web) -> None:
    page.fulfil = with_telegram
    await page.go(address_in_telegram(web, 9))

    said = await page.wait("document.querySelector('#refused')?.textContent")

    assert said == "it is not what Telegram signed"
    assert not web.facade.asked


async def test_without_telegrams_script_the_page_works_all_the_same(page: Page, web: Web) -> None:
    page.fulfil = lambda _url: (HTTPStatus.SERVICE_UNAVAILABLE, {}, "")
    await page.go(address_in_telegram(web, 8))

    await page.wait("document.querySelector('#pnl-chart')")
    assert "Pause" not in await page.text()  # a viewer looks


async def test_a_trade_comes_in_at_the_top_and_none_is_missed_while_nobody_looks(
    page: Page, web: Web
) -> None:
    await come_in(page, web)
    await show(page, "Trades")
    await page.wait("document.querySelector('#live').textContent === 'connected'")
    top = "document.querySelector('#trades .row').dataset.trade"

    web.facade.tell(_traded("x1"))
    assert await page.wait(f"{top} === 'x1'")

    await _hide(page, is_hidden=True)
    await page.wait("document.querySelector('#live').textContent === 'not connected'")
    web.facade.tell(_traded("x2"), _traded("x3"))
    await _hide(page, is_hidden=False)
    await page.wait(f"{top} === 'x3'")
    trades = await page.value(
        "[...document.querySelectorAll('#trades .row')].map((one) => one.dataset.trade)"
    )
    assert trades[:3] == ["x3", "x2", "x1"]


async def test_a_page_that_is_seen_again_twice_has_one_stream(page: Page, web: Web) -> None:
    await come_in(page, web)
    await page.wait("document.querySelector('#live').textContent === 'connected'")

    await _hide(page, is_hidden=False)
    await _hide(page, is_hidden=False)

    await page.wait("document.querySelector('#live').textContent === 'connected'")
    streams = web.gateway.guard.rates._streams
    async with asyncio.timeout(PATIENCE_S):
        while list(streams.values()) != [1]:
            await asyncio.sleep(0.01)


async def test_what_somebody_reads_stays_where_it_is(page: Page, web: Web) -> None:
    await come_in(page, web)
    await page.wait("document.querySelector('#live').textContent === 'connected'")
    await page.value(
        "document.querySelector('#pnl-chart').classList.add('old'), scrollTo(0, 1e6), 1"
    )
    top = await page.value("scrollY")
    assert top > 0

    web.facade.tell(samples.killed())

    await page.wait("document.querySelector('#pnl-chart') && !document.querySelector('.old')")
    assert await page.value("scrollY") == top


def _traded(execution_id: str) -> PaperTraded:
    return replace(samples.traded(), execution_id=execution_id)


async def _hide(page: Page, *, is_hidden: bool) -> None:
    await page.value(
        f"Object.defineProperty(document, 'hidden', {{ value: {json.dumps(is_hidden)},"
        " configurable: true }), document.dispatchEvent(new Event('visibilitychange'))"
    )


async def test_names_that_are_code_are_shown_and_never_run(
    page: Page, tmp_path: Path, made_keys: MadeKeys
) -> None:
    async with serving(tmp_path, made_keys, HostileFacade()) as web:
        await come_in(page, web)
        await page.wait("document.querySelector('#live').textContent === 'connected'")
        told = msgspec.json.encode(_traded("x1"))
        web.facade.tell(msgspec.json.decode(hostile(told), type=PaperTraded))
        for name in ("Overview", "Finds", "Trades", "Risk", "Inventory", "System", "Reports"):
            web.clear_paces()
            await page.tap(name)
            await page.wait(f"document.body.innerText.includes({HOSTILE!r})")
            assert await page.value("document.documentElement.scrollWidth") <= 360, name
        await page.tap("Trades")
        await page.wait("document.querySelector('#trades .row')")
        await page.value("document.querySelector('#trades .row').click(), 1")
        await page.wait("document.querySelector('dialog[open]')")

        assert await page.value("window.hit ?? 0") == 0
        assert (
            await page.value(
                "document.images.length + document.querySelectorAll('main script').length"
            )
            == 0
        )
        assert page.troubles == []


async def test_nothing_runs_that_is_not_a_file_of_the_page(page: Page, web: Web) -> None:
    sent: list[str] = []

    def note(url: str) -> tuple[int, dict[str, str], str]:
        sent.append(url)
        return HTTPStatus.OK, {"Content-Type": "text/javascript"}, "window.hit = 3"

    page.fulfil = note
    await come_in(page, web)

    await page.value(
        "(() => { const one = document.createElement('script'); one.textContent = 'window.hit = 1';"
        " document.head.append(one); const other = document.createElement('script');"
        " other.src = 'https://example.org/x.js'; document.head.append(other);"
        " document.body.setAttribute('onclick', 'window.hit = 2'); document.body.click(); })()"
    )

    assert await page.value("window.hit ?? 0") == 0
    assert sent == []
    assert sum("Content Security Policy" in one for one in page.troubles) >= 2


async def test_another_page_can_neither_act_nor_frame_it_though_somebody_is_in(
    page: Page, web: Web
) -> None:
    await come_in(page, web)
    assert await page.value("document.cookie") == ""

    async with _another_origin() as other:
        await _try_from(page, web, other)


@pytest.mark.parametrize("site", ["https://web.telegram.org/k/", "https://example.org/"])
async def test_telegram_may_frame_the_page_and_nobody_else(page: Page, web: Web, site: str) -> None:
    mine = "https://bot.example.org/app"
    _, body = await web.ask("GET", "/app", rank=None)
    headers = {name: web.headers[name] for name in ("Content-Type", "Content-Security-Policy")}
    frame = ({"Content-Type": "text/html"}, f"<iframe src='{mine}'></iframe>")
    page.fulfil = lambda url: (
        (HTTPStatus.OK, *frame) if url == site else (HTTPStatus.OK, headers, body)
    )

    await page.go(site)

    _, shown = await _framed(page)
    assert (shown == mine) == ("telegram" in site)


@asynccontextmanager
async def _another_origin() -> AsyncIterator[str]:
    """Serve a page of somebody else's; yields its address."""

    async def page(_request: web_server.Request) -> web_server.Response:
        return web_server.Response(text="<iframe></iframe>", content_type="text/html")

    application = web_server.Application()
    application.router.add_get("/", page)
    runner = web_server.AppRunner(application)
    await runner.setup()
    try:
        await web_server.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def _try_from(page: Page, web: Web, other: str) -> None:
    await page.go(other)
    sent = await page.value(
        "Promise.allSettled(['text/plain', 'application/json'].flatMap((kind) =>"
        " ['kill', 'v1/commands/pause', 'v1/lines'].map((path) =>"
        f" fetch('{web.base}/' + path, {{ method: 'POST', credentials: 'include', body: '{{}}',"
        " headers: { 'Content-Type': kind } })))).then((all) => all.map((one) => one.status))"
    )

    assert sent == ["rejected"] * 6
    assert web.facade.effects == []
    await page.value(f"document.querySelector('iframe').src = '{web.base}/app', 1")
    assert await _framed(page) == (f"{web.base}/app", "chrome-error://chromewebdata/")


async def _framed(page: Page) -> tuple[str, str]:
    """Return what a frame was to show, and what it shows."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            tree = await page.send("Page.getFrameTree")
            frame = tree["frameTree"]["childFrames"][0]["frame"]
            if frame["url"] != "about:blank":
                return frame.get("unreachableUrl", ""), frame["url"]
            await asyncio.sleep(0.01)


async def test_what_waits_is_approved_once_by_two_taps(page: Page, web: Web) -> None:
    await come_in(page, web, Rank.OPERATOR)
    await show(page, "Risk")

    await page.value(
        "[...document.querySelectorAll('button')].filter((one) => one.textContent === 'Approve')"
        ".forEach((one) => { one.click(); one.click(); }), 1"
    )

    await page.wait("document.querySelector('#sheet-text').textContent.includes('Approved')")
    assert web.facade.effects == ["approve 0123456789ab"]


async def test_what_is_signed_is_approved_in_the_chat_alone(page: Page, web: Web) -> None:
    waiting = samples.approvals().waiting[0]
    plan = replace(waiting.approval.plan, is_live=True)
    web.facade.what_waits = replace(
        samples.approvals(),
        waiting=[replace(waiting, approval=replace(waiting.approval, plan=plan))],
    )
    await come_in(page, web)
    await page.tap("Risk")

    await page.wait("document.body.innerText.includes('believes the chat alone: approve it there')")
    labels = await page.value(
        "[...document.querySelectorAll('main button')].map((one) => one.textContent)"
    )
    assert "Approve" not in labels
    assert "Reject" in labels


async def test_what_loosens_takes_its_second_step_and_a_kill_takes_two_taps(
    page: Page, web: Web
) -> None:
    await come_in(page, web)
    await show(page, "Settings")
    await page.value("document.querySelector('#line').value = '/resume', 1")
    await page.tap("Send")
    await page.wait("document.querySelector('#sheet-buttons button.main')")
    assert web.facade.effects == []
    await page.value("document.querySelector('#sheet-buttons button.main').click(), 1")
    await page.wait("document.querySelector('#sheet-text').textContent.includes('Resumed')")
    await page.tap("Close")

    await show(page, "Overview")
    await page.tap("Kill")
    await page.tap("KILL")
    await page.wait("document.querySelector('#state').textContent === 'killed'")

    assert web.facade.effects == ["resume", "kill asked on the page"]


async def test_a_key_that_is_taken_away_ends_what_it_opened(page: Page, web: Web) -> None:
    await come_in(page, web, Rank.VIEWER)

    web.store.remove("a-viewer")
    await page.tap("Risk")

    await page.wait("document.querySelector('#key')")
    assert "The session is over." in await page.text()
