"""What the wiring hands to the HTTP front-end beside the settings of every front-end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.domain.people import Person

TELEGRAM_KEY: Final = bytes.fromhex(
    "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d"
)
"""Ed25519 key with which Telegram signs for third parties (core.telegram.org/bots/webapps)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTerms:
    """Who may come in by the page inside Telegram, and how that is checked.

    Attributes:
        bot_id: of the bot whose button opens the page.
        key: HMAC-SHA256 of the bot's token by "WebAppData": it checks what Telegram signed, and
            opens nothing at Telegram.
        people: who may write to the bot; they may here what they may there.
        age_s_max: what Telegram signed longer ago lets nobody in.
        telegram_key: Ed25519 key of Telegram, 32 bytes.
    """

    bot_id: int
    key: bytes = field(repr=False)
    people: Sequence[Person]
    age_s_max: int
    telegram_key: bytes = TELEGRAM_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class WebTerms:
    """How the gateway listens.

    Attributes:
        port: of loopback; a proxy with TLS or a tunnel stands before it. 0 takes any.
        trusts_proxy: the last address of `X-Forwarded-For` is who asks; else the connection's.
        directory: where it keeps the hashes of its keys.
        hook_keep_days: so long events of webhooks are known again.
        page: None where no phone is set up: then a key alone lets in.
    """

    port: int
    trusts_proxy: bool
    directory: Path
    hook_keep_days: int = 7
    page: PageTerms | None = None
