"""The door at which providers post: one path each, and nothing read of a body that is not signed.

In this order: whose path it is, the whole body within its bounds, the signature over its bytes,
what it says. It is acknowledged once its events are on disk; whatever stands in the way of that is
told by a status at which providers try again.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from aiohttp import web

from bot.web.hooks.endpoints import Endpoint, Endpoints
from bot.web.hooks.forwarding import Forwarding
from bot.web.hooks.keeping import Keeping
from bot.web.hooks.provider import (
    BODY_BYTES_MAX,
    Delivery,
    Provider,
    Sent,
    ToldLog,
    TooLargeError,
    UnreadableError,
)
from bot.web.hooks.provider_list import PROVIDERS
from bot.web.hooks.store import DiskError
from bot.web.hooks.turns import Turns
from bot.web.problems import RefusedError
from engine.bus.hooked import HookEvent, HookFigures
from engine.domain.chains import CHAINS
from engine.domain.units import NS_PER_S

PATH: Final = "/hooks/{path}"
BODY_S_MAX: Final = 20.0
HELD_BYTES_MAX: Final = 2 * BODY_BYTES_MAX
"""Of bodies that are being read; beyond that the next ones are refused."""

APART_BYTES: Final = 65_536
"""A larger body is checked and read in a thread, one at a time: others go on meanwhile."""

AHEAD_S_MAX: Final = 3_600
"""Further in the future nobody makes a body, whatever their clock."""

AGAIN: Final = {"Retry-After": "5"}
_NAME_OF: Final = {facts.chain_id: name for name, facts in CHAINS.items()}


class HookDoor:
    """Takes bodies.

    Args:
        endpoints: where they may come in.
        keeping: keeps their events.
        clock: the time, nanoseconds since 1970.

    Attributes:
        forwarding: hands them on; None for nowhere.
    """

    def __init__(self, endpoints: Endpoints, keeping: Keeping, clock: Callable[[], int]) -> None:
        self.forwarding: Forwarding | None = None
        self._endpoints, self._keeping, self._clock = endpoints, keeping, clock
        self._counts: dict[str, Counter[str]] = {}
        self._newest_at_ns: dict[str, int] = {}
        self._held_bytes = 0
        self._one = asyncio.Lock()
        self._turns = Turns()

    async def post(self, request: web.Request) -> web.Response:
        """Take a body.

        Raises:
            RefusedError: it is not taken; the status says whether to try again.
        """
        endpoint = self._endpoints.find(request.match_info["path"])
        if endpoint is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such webhook")
        counts = self._counts.setdefault(endpoint.name, Counter())
        provider = PROVIDERS[endpoint.provider]
        held = _Held(self)
        try:
            raw = await self._read(request, held, counts)
            received_at_ns = self._clock()
            await self._turns.take()
            sent = Sent(headers=request.headers, raw=raw)
            delivery = await self._understood(endpoint, provider, sent, counts, received_at_ns)
        finally:
            held.release()
        self._newest_at_ns[endpoint.name] = received_at_ns
        if delivery.is_test:
            counts["tests"] += 1
            return web.Response()
        await self._take(endpoint, delivery, counts, received_at_ns)
        return web.Response()

    def figures(self) -> list[HookFigures]:
        """Return what was counted of each endpoint."""
        elsewhere = {} if self.forwarding is None else self.forwarding.elsewhere
        found = []
        for one in self._endpoints.all():
            counts = self._counts.get(one.name, Counter())
            found.append(
                HookFigures(
                    stream=one.name,
                    provider=one.provider,
                    chain=one.chain,
                    newest_at_ns=self._newest_at_ns.get(one.name, 0),
                    elsewhere=counts["elsewhere"] + elsewhere.get(one.name, 0),
                    **{name: counts[name] for name in _COUNTED},
                )
            )
        return found

    async def _read(self, request: web.Request, held: "_Held", counts: Counter[str]) -> bytes:
        if (request.content_length or 0) > BODY_BYTES_MAX:
            raise _too_large()
        if request.content.is_eof():  # the whole of it is here: nothing is waited for
            whole = request.content.read_nowait()
            self._hold(held, whole, counts, before=0)
            return whole
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_S_MAX):
                async for part in request.content.iter_any():
                    self._hold(held, part, counts, before=len(body))
                    body += part
        except TimeoutError:
            raise RefusedError(
                HTTPStatus.REQUEST_TIMEOUT, f"the body took longer than {BODY_S_MAX:.0f} s"
            ) from None
        return bytes(body)

    def _hold(self, held: "_Held", part: bytes, counts: Counter[str], *, before: int) -> None:
        """Have a part of a body count; raises `RefusedError` where it is too much."""
        if before + len(part) > BODY_BYTES_MAX:
            raise _too_large()
        if not held.take(len(part)):
            counts["refused"] += 1
            raise _busy("too many bodies at once")

    async def _understood(
        self,
        endpoint: Endpoint,
        provider: Provider,
        sent: Sent,
        counts: Counter[str],
        at_ns: int,
    ) -> Delivery:
        try:
            if len(sent.raw) <= APART_BYTES and "Content-Encoding" not in sent.headers:
                found = _checked(endpoint, provider, sent, at_ns)
            else:
                async with self._one:
                    found = await asyncio.to_thread(_checked, endpoint, provider, sent, at_ns)
        except TooLargeError:
            raise _too_large() from None
        except UnreadableError as error:
            counts["unreadable"] += 1
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        if found is None:
            counts["forged"] += 1
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "no secret of this webhook has signed it")
        delivery, is_by_old = found
        counts["old_secrets"] += is_by_old
        return delivery

    async def _take(
        self, endpoint: Endpoint, delivery: Delivery, counts: Counter[str], at_ns: int
    ) -> None:
        assert delivery.said_at_s is not None
        try:
            await self._keeping.ready()
        except DiskError as error:
            counts["refused"] += 1
            raise _busy("it cannot be kept now") from error
        if delivery.said_at_s * NS_PER_S < self._keeping.known_since_ns:
            counts["old"] += 1  # whether it was told before is not known any more
            return
        chain = endpoint.chain or _NAME_OF.get(delivery.chain_id or 0, "")
        events = [_event(endpoint, chain, log, at_ns) for log in delivery.logs] if chain else []
        if not chain:
            counts["elsewhere"] += len(delivery.logs)
        span = None if delivery.span is None else (endpoint.name, *delivery.span)
        if self.forwarding is not None and chain and (events or span):
            self.forwarding.offer(chain, events, span)
        await self._keep(events, counts)
        counts["taken"] += 1

    async def _keep(self, events: Sequence[HookEvent], counts: Counter[str]) -> None:
        if not events:
            return
        try:
            first = await self._keeping.keep(events)
        except DiskError as error:
            counts["refused"] += 1
            raise _busy("it cannot be kept now") from error
        counts["events"] += sum(first)
        counts["duplicates"] += len(first) - sum(first)


_COUNTED: Final = (
    "taken",
    "forged",
    "unreadable",
    "old",
    "tests",
    "refused",
    "events",
    "duplicates",
    "old_secrets",
)


class _Held:
    """How much of the door's memory a body has."""

    def __init__(self, door: HookDoor) -> None:
        self._door, self._bytes = door, 0

    def take(self, size: int) -> bool:
        if self._door._held_bytes + size > HELD_BYTES_MAX:  # noqa: SLF001 - its other half
            return False
        self._door._held_bytes += size  # noqa: SLF001
        self._bytes += size
        return True

    def release(self) -> None:
        self._door._held_bytes -= self._bytes  # noqa: SLF001
        self._bytes = 0


def _checked(
    endpoint: Endpoint, provider: Provider, sent: Sent, at_ns: int
) -> tuple[Delivery, bool] | None:
    """Return what a body says, and whether an old secret signed it; None if none did.

    Raises:
        UnreadableError: it is signed, and not what the provider sends.
        TooLargeError: it is larger than any may be.
    """
    try:
        text = provider.text(sent)
    except UnreadableError:
        return None  # nothing of it can be signed
    now_s = at_ns // NS_PER_S
    signed = [
        provider.is_signed(sent, text, secret) for secret in endpoint.good_secrets(now_s)
    ]  # all of them, so that the time does not tell which one it was
    if not any(signed):
        return None
    delivery = provider.read(sent, text)
    said_at_s = delivery.said_at_s
    if said_at_s is not None and said_at_s > now_s + AHEAD_S_MAX:
        raise UnreadableError(f"the body is of {said_at_s - now_s} s from now")
    if endpoint.chain and delivery.chain_id not in (None, CHAINS[endpoint.chain].chain_id):
        raise UnreadableError(f"the body is of chain {delivery.chain_id}, not of {endpoint.chain}")
    return delivery, not signed[0]


def _event(endpoint: Endpoint, chain: str, log: ToldLog, at_ns: int) -> HookEvent:
    return HookEvent(
        stream=endpoint.name,
        chain=chain,
        level=log.level,
        block_number=log.block_number,
        block_hash=log.block_hash,
        tx_hash=log.tx_hash,
        log_index=log.log_index,
        address=log.address,
        topics=log.topics,
        data=log.data,
        received_at_ns=at_ns,
    )


def _too_large() -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {BODY_BYTES_MAX:,} bytes"
    )


def _busy(why: str) -> RefusedError:
    return RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, why, headers=AGAIN)
