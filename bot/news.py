"""News of roles that ended for good, told in every chat without being asked."""

import asyncio
from collections.abc import Callable

from bot.render.screen import Screen
from bot.render.troubles import render_role_ended
from engine.facade.news import RoleEnded

News = asyncio.Queue[RoleEnded]


async def tell_news(news: News, show: Callable[[Screen], None]) -> None:
    """Tell for ever."""
    while True:
        ended = await news.get()
        show(render_role_ended(ended.role, ended.why))
