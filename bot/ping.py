"""Pings a watch outside of this machine, by the protocol of healthchecks.io.

The chat's role does it: it alone asks engine and ledger, knows whether its own way to the operator
works, and falls silent itself when it is dead, which is what the watch is for.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import httpx

from engine.domain.network import proxy_for
from engine.domain.redaction import redact

_log = logging.getLogger(__name__)

SEND_S: Final = 10.0
LOOK_S: Final = 1.0


class Signal(StrEnum):
    """What a ping says, as the end of its address."""

    START = "/start"
    WELL = ""
    FAIL = "/fail"


@dataclass(slots=True, kw_only=True)
class Pinger:
    """Tells the watch once a minute that all is well, and at once what is not.

    Attributes:
        url: of the check; a secret, for who knows it can say that all is well.
        is_well: says whether all parts answer.
        fault: what is critical and not acknowledged, empty if nothing is.
        every_s: interval of the pings.
    """

    url: str = field(repr=False)
    is_well: Callable[[], bool]
    fault: Callable[[], str]
    every_s: float
    proxy: str | None = field(default=None, repr=False)
    look_s: float = LOOK_S

    async def run(self) -> None:
        """Ping for ever."""
        proxy = proxy_for(self.url, self.proxy)
        async with httpx.AsyncClient(proxy=proxy, timeout=SEND_S) as client:
            await self._send(client, Signal.START, "")
            loop = asyncio.get_running_loop()
            told, due_s = "", loop.time()
            while True:
                fault = self.fault()
                if fault != told:
                    told = (
                        fault if not fault or await self._send(client, Signal.FAIL, fault) else told
                    )
                elif not fault and loop.time() >= due_s and self.is_well():
                    await self._send(client, Signal.WELL, "")
                    due_s = loop.time() + self.every_s
                await asyncio.sleep(self.look_s)

    async def _send(self, client: httpx.AsyncClient, signal: Signal, text: str) -> bool:
        try:
            reply = await client.post(f"{self.url}{signal}", content=redact(text).encode())
            reply.raise_for_status()
        except httpx.HTTPError as error:
            _log.warning("a ping was not taken: %s", redact(str(error) or type(error).__name__))
            return False
        return True
