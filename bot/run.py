"""Serve the operator: Telegram where a bot token is set, the terminal otherwise."""

import asyncio
from collections.abc import Callable

from bot.news import News
from bot.render.words import use_zone
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings


async def run(
    facade: Facade,
    settings: FrontEndSettings,
    *,
    stop: asyncio.Event,
    clock: Callable[[], int],
    news: News | None = None,
) -> None:
    """Serve until `stop` is set; in a terminal the end of input sets it.

    Args:
        facade: the engine and the ledger.
        settings: what the chat needs to know.
        stop: ends the front-end in order.
        clock: wall clock, nanoseconds since 1970.
        news: roles that ended for good, as the supervisor tells them.

    Raises:
        FatalError: the settings contradict each other, or Telegram refuses the bot token.
    """
    news = asyncio.Queue() if news is None else news
    use_zone(settings.time_zone)
    if settings.has_telegram:
        # The library costs start-up time and memory that the terminal need not pay.
        from bot.telegram.front_end import run_telegram  # noqa: PLC0415

        await run_telegram(facade, settings, stop=stop, clock=clock, news=news)
    else:
        from bot.console import run_console  # noqa: PLC0415

        await run_console(facade, settings, stop=stop, clock=clock, news=news)
