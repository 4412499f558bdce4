"""Sends alerts out by other ways than the chat: PagerDuty, Slack, e-mail and what apprise knows."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bot.alerts.alert import Alert
from bot.render.alerts import render_alert
from bot.render.plain import write_plain
from bot.render.screen import Screen
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

SEND_S_MAX: Final = 60.0
"""Longest wait for all addresses of one message; the process is killed then."""

_KEPT_VARIABLES: Final = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "SYSTEMROOT"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
_ROOT: Final = Path(__file__).resolve().parents[1]


@dataclass(slots=True, kw_only=True)
class Pager:
    """The addresses of an installation.

    Attributes:
        urls: as apprise writes them; secrets.
        proxy: for all but this machine.
        retry_s_min: first wait before an address is tried again.
    """

    urls: Sequence[str] = field(repr=False)
    proxy: str | None = field(default=None, repr=False)
    retry_s_min: float = 5.0

    async def send(self, alert: Alert, *, to: Sequence[str], now_ns: int) -> list[str]:
        """Send an alert to these addresses; returns those that did not take it."""
        screen = render_alert(alert, now_ns=now_ns)
        return await self.send_screen(screen, to=to, is_over=alert.is_over)

    async def send_screen(self, screen: Screen, *, to: Sequence[str], is_over: bool) -> list[str]:
        """Send a screen to these addresses; returns those that did not take it."""
        told = {
            "urls": list(to),
            "title": redact(f"Syndicate: {screen.title}"),
            "body": redact(write_plain(screen)),
            "is_over": is_over,
        }
        done = await self._send(told)
        failed = [url for url, is_done in zip(to, done, strict=True) if not is_done]
        if failed:
            _log.error("an alert did not go out to %s", ", ".join(map(service_of, failed)))
        return failed

    async def _send(self, told: dict[str, Any]) -> list[bool]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.page",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=self._environment(),
            cwd=_ROOT,
        )
        try:
            async with asyncio.timeout(SEND_S_MAX):
                answer, _ = await process.communicate(json.dumps(told).encode())
            done = json.loads(answer)
        except (TimeoutError, ValueError) as error:
            _log.warning("sending an alert out failed: %s", type(error).__name__)
            return [False] * len(told["urls"])
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return [bool(one) for one in done]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        if self.proxy is not None:
            kept |= {"HTTP_PROXY": self.proxy, "HTTPS_PROXY": self.proxy}
            kept["NO_PROXY"] = "localhost,127.0.0.1,::1"
        return kept


def service_of(url: str) -> str:
    """Return what may be shown of an address: the service that it names."""
    return url.partition(":")[0]
