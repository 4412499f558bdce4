"""HTTP clients for the Bot API, and its errors in the product's terms."""

import os
import ssl
from datetime import timedelta
from functools import cache
from typing import Any, Final

import httpx
from telegram.error import RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from engine.domain.errors import FatalError

CONNECT_S: Final = 5.0
UPLOAD_S: Final = 60.0
"""Longest wait for sending a picture or a file."""

_SENDING_CONNECTIONS: Final = 4


class BoundedRequest(HTTPXRequest):
    """A client to which an answer that cannot be read is one more error of the Bot API."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """Parse an answer; one nested too deeply to be read is refused like one that is no JSON."""
        try:
            parsed: dict[str, Any] = HTTPXRequest.parse_json_payload(payload)
        except RecursionError as error:
            raise TelegramError("the answer is nested too deeply") from error
        return parsed


def make_request(
    *, read_s: float, proxy: str | None, connections: int = _SENDING_CONNECTIONS
) -> HTTPXRequest:
    """Return a client with a timeout on every step.

    The operator's setting alone chooses a proxy: what the environment says of proxies is for other
    programs, and may be of a kind that the client cannot have.
    """
    return BoundedRequest(
        connection_pool_size=connections,
        connect_timeout=min(CONNECT_S, read_s),
        read_timeout=read_s,
        write_timeout=read_s,
        pool_timeout=read_s,
        media_write_timeout=UPLOAD_S,
        http_version="1.1",
        proxy=proxy,
        httpx_kwargs={"verify": _tls(), "trust_env": False},
    )


def may_have_arrived(error: Exception) -> bool:
    """Say whether what a failed call asked for may have been done, though nobody answered."""
    never_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    return not isinstance(error.__cause__, never_sent)


@cache
def _tls() -> ssl.SSLContext:
    """Return the one TLS context: loading the authorities' certificates holds the loop for 60 ms.

    A client that is built anew while the chat is in trouble must not pay that again.
    """
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        name = next((n for n in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(n)), "")
        raise FatalError(
            f"the certificates for Telegram cannot be read ({error.strerror or error}): mend or "
            f"unset {name or 'the ones of this system'}"
        ) from error


def opt_in_to_durations() -> None:
    """Make the library hand out waiting times as `timedelta`.

    The library's only switch for it is this environment variable; without it, each 429 raises a
    deprecation warning from inside the exception that reports it.
    """
    os.environ["PTB_TIMEDELTA"] = "true"


def wait_of(error: RetryAfter) -> float:
    """Return how many seconds Telegram wants us to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def refused_token() -> FatalError:
    """Return the error for a token that Telegram does not know; it never holds the token."""
    return FatalError(
        "the chat is closed: Telegram refuses the bot token; ask @BotFather for the token of your"
        " bot and put it into TELEGRAM_BOT_TOKEN"
    )
