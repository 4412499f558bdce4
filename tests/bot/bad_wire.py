"""The library's way to the emulator, in this process, which fails as a bad network does."""

import asyncio
import json
import random
from typing import Any, Final

from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from tests.telegram.emulator import TelegramEmulator
from tests.telegram.faults import ApiError

TOO_MANY, HANGS, LOST = 0.30, 0.10, 0.05
RETRY_S_MAX = 4
SEND_S: Final = 10.0


class Wire(BaseRequest):
    """The way to the emulator, in this process, with its faults."""

    def __init__(self, emulator: TelegramEmulator, chance: random.Random) -> None:
        self._emulator = emulator
        self._chance = chance
        self.calls = 0
        self.outage_s = (0.0, 0.0)
        self.retries_s: list[int] = []

    @property
    def read_timeout(self) -> float:
        """See `BaseRequest`."""
        return SEND_S

    async def initialize(self) -> None:
        """See `BaseRequest`."""

    async def shutdown(self) -> None:
        """See `BaseRequest`."""

    async def do_request(  # type: ignore[override]
        self, url: str, method: str, request_data: RequestData | None = None, **_: Any
    ) -> tuple[int, bytes]:
        """Make one call, or fail as a network does."""
        del method
        self.calls += 1
        fault = self._chance.random()
        now_s = asyncio.get_running_loop().time()
        if self.outage_s[0] <= now_s < self.outage_s[1]:
            await asyncio.sleep(SEND_S)
            raise TimedOut
        await asyncio.sleep(self._chance.uniform(0.03, 0.25))
        if fault < TOO_MANY:
            wait_s = self._chance.randint(1, RETRY_S_MAX)
            self.retries_s.append(wait_s)
            return _refusal(ApiError(429, f"retry after {wait_s}", retry_after_s=wait_s))
        parameters = {} if request_data is None else dict(request_data.json_parameters)
        name = url.rsplit("/", 1)[1]
        if fault < TOO_MANY + HANGS:
            if self._chance.random() < 0.5:  # it hangs before, or after, the work is done
                await self._carry_out(name, parameters)
            await asyncio.sleep(SEND_S)
            raise TimedOut
        reply = await self._carry_out(name, parameters)
        if fault < TOO_MANY + HANGS + LOST:
            raise NetworkError("the answer is lost")
        return reply

    async def _carry_out(self, name: str, parameters: dict[str, Any]) -> tuple[int, bytes]:
        try:
            result = await self._emulator._answer(name, parameters)
        except ApiError as error:
            return _refusal(error)
        finally:
            self._emulator.notify()
        return 200, json.dumps({"ok": True, "result": result}).encode()


def _refusal(error: ApiError) -> tuple[int, bytes]:
    content: dict[str, Any] = {
        "ok": False,
        "error_code": error.status,
        "description": error.description,
    }
    if error.retry_after_s is not None:
        content["parameters"] = {"retry_after": error.retry_after_s}
    return error.status, json.dumps(content).encode()
