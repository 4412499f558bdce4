"""Where updates come from: polling, or posts of Telegram; the front-end sees no difference."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from telegram import Bot

from bot.telegram.poller import Poller
from engine.facade.front_end import FrontEndSettings

if TYPE_CHECKING:
    import asyncio


class UpdateSource(Protocol):
    """Hands updates over, oldest first; see `Poller`."""

    @property
    def has_more(self) -> bool:
        """The newest batch was full: what it brought waits for the next."""
        ...

    @property
    def has_waited(self) -> bool:
        """The newest updates may have waited."""
        ...

    async def fetch(self) -> list[dict[str, Any]]:
        """Return the next updates; waits until there are some, or there is nothing to wait for."""
        ...

    def confirm(self, update_ids: Sequence[int]) -> None:
        """Have Telegram forget what was fetched last, as far as it is kept."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


def make_source(
    settings: FrontEndSettings,
    *,
    bot: Bot,
    is_kept: Callable[[int], bool],
    spawn: Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"],
    on_success: Callable[[], None],
    on_conflict: Callable[[str], None],
    on_refused: Callable[[], Awaitable[object]],
    on_trouble: Callable[[str], None],
) -> UpdateSource:
    """Return what the settings ask for."""
    assert settings.telegram_token is not None
    poller = Poller(
        token=settings.telegram_token,
        base_url=settings.telegram_base_url,
        proxy=settings.telegram_proxy,
        poll_s=settings.poll_s,
        send_s=settings.send_s,
        on_success=on_success,
        on_conflict=on_conflict,
        on_refused=on_refused,
        is_kept=is_kept,
    )
    if settings.telegram_webhook_url is None:
        return poller
    from bot.telegram.webhook import Webhook  # noqa: PLC0415 - 9 MB that few need

    return Webhook(
        bot=bot,
        poller=poller,
        url=settings.telegram_webhook_url,
        port=settings.telegram_webhook_port,
        look_s=settings.poll_s,
        send_s=settings.send_s,
        is_kept=is_kept,
        spawn=spawn,
        on_success=on_success,
        on_conflict=on_conflict,
        on_refused=on_refused,
        on_trouble=on_trouble,
    )
