"""Somebody before the page, in a real browser."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import msgspec

from engine.bus.request import Request
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S
from tests.bot.fake_facade import FakeFacade
from tests.bot.web.browser import Page
from tests.bot.web.conftest import Web
from tests.bot.web.telegram_signs import opened

SCREENS: Final = {
    "Overview": ("On paper, this run", "Profit on paper, 7 days", "News", "Kill"),
    "Finds": ("Gaps now, after costs", "ETH-USDT", "Opportunities (", "A plan needs 10.0 bps"),
    "Trades": ("stored)", "BTC-USD", "Tap one to see why"),
    "Risk": ("Expected", "Approve", "position", "998.40 now", "Open positions"),
    "Inventory": ("BTC ·", "coinbase", "Against the ledger"),
    "System": ("Memory free", "Venues", "Roles", "Background work", "Python"),
    "Reports": ("Realised", "Profit, and fall from its peak", "By route", "Trades as CSV"),
    "Settings": ("as the records show it", "Look", "A line, as in the chat", "In force"),
}
"""What each screen shows, by its name."""

TELEGRAM_SCRIPT: Final = """
window.heard = [];
window.Telegram = { WebApp: {
  themeParams: {},
  ready() { heard.push("ready"); }, expand() { heard.push("expand"); },
  onEvent(name, hear) { heard.push(name); window[`tell_${name}`] = hear; },
  BackButton: { onClick() {}, show() { heard.push("back"); }, hide() {} },
} };
"""
"""Stands where Telegram's script does: what it is told, it notes."""

HOSTILE: Final = "<img src=x onerror=window.hit=1><script>window.hit=2</script>"


class HostileFacade(FakeFacade):
    """Strangers name what is shown: venues, tokens and pairs are code."""

    def _answer(self, command: Request[Any]) -> Any:
        report = super()._answer(command)
        return msgspec.json.decode(hostile(msgspec.json.encode(report)), type=type(report))


def hostile(raw: bytes) -> bytes:
    """Return JSON in which names are code."""
    for name in (b"coinbase", b"BTC", b"ETH-USDT"):
        raw = raw.replace(name, HOSTILE.encode())
    return raw


async def come_in(page: Page, web: Web, rank: Rank = Rank.ADMIN) -> None:
    """Come in by a key."""
    await page.go(f"{web.base}/app")
    await page.wait("document.querySelector('#key')")
    key = web.keys[rank]
    await page.value(f"document.querySelector('#key').value = {key!r}, 1")
    await page.tap("Come in")
    await page.wait("document.querySelector('#pnl-chart')")


async def show(page: Page, name: str) -> str:
    """Turn to a screen, and return what it says once all of it is there."""
    await page.tap(name)
    for said in SCREENS[name]:
        await page.wait(f"document.body.innerText.includes({said!r})")
    return await page.text()


def address_in_telegram(web: Web, user_id: int, **colours: str) -> str:
    """Return the address at which Telegram opens the page for somebody."""
    theme = msgspec.json.encode(colours).decode()
    init_data = opened(user_id, web.clock() // NS_PER_S)
    return (
        f"{web.base}/app#tgWebAppData={quote(init_data, safe='')}&tgWebAppVersion=9.1"
        f"&tgWebAppPlatform=ios&tgWebAppThemeParams={quote(theme, safe='')}"
    )


def with_telegram(url: str) -> tuple[int, Mapping[str, str], str] | None:
    """Stand in for telegram.org."""
    if url == "https://telegram.org/js/telegram-web-app.js":
        return 200, {"Content-Type": "text/javascript"}, TELEGRAM_SCRIPT
    return None
