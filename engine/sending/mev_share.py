"""Hints of transactions that their senders keep private, as MEV-Share streams them.

Who sends by such a relay chooses what others may know of it: always its hash, and some of contract,
selector, call and events. A bundle that begins with the hash is right behind it in its block, and
what it pays is shared with that sender. Everything here is a stranger's word.
Facts: https://docs.flashbots.net/flashbots-mev-share/searchers/event-stream
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, Final

import aiohttp
import msgspec

from engine.chains.rpc.parsing import parse_address, parse_bytes, parse_hash, parse_quantity
from engine.domain.errors import BadValueError, TransientError

LINE_BYTES_MAX: Final = 1 << 18
LOGS_MAX: Final = 256
CALLS_MAX: Final = 32
TOPICS_MAX: Final = 4
SILENCE_S: Final = 45.0
"""A stream pings every 15 seconds; after three that did not come it is dead."""

_DATA: Final = b"data:"
_SELECTOR_BYTES: Final = 4
_GAS_MAX: Final = 1 << 40
_PRICE_WEI_MAX: Final = 10**18


class HintLog(msgspec.Struct, frozen=True, kw_only=True):
    """An event that the transaction will cause, as its simulation had it.

    Attributes:
        address: who tells it, in lower case.
        topics: of 32 bytes each, as far as they are shared.
        data: empty where it is not shared.
    """

    address: str
    topics: tuple[bytes, ...] = ()
    data: bytes = b""


class HintCall(msgspec.Struct, frozen=True, kw_only=True):
    """What it calls, as far as that is shared; empty where it is not."""

    to: str = ""
    selector: bytes = b""
    data: bytes = b""


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction, or a bundle of some, that waits for its block in private.

    Attributes:
        hash: by which a bundle names it.
        gas_price_wei: what it pays for a unit of gas; 0 if nobody says.
        gas_used: in units; 0 if nobody says.
    """

    hash: str
    logs: tuple[HintLog, ...] = ()
    calls: tuple[HintCall, ...] = ()
    gas_price_wei: int = 0
    gas_used: int = 0

    @property
    def touches(self) -> frozenset[str]:
        """Addresses whose state it changes, as far as events say."""
        return frozenset(one.address for one in self.logs)


def parse_hint(text: bytes) -> Hint:
    """Read the data of an event of the stream.

    Raises:
        BadValueError: it is no hint, or has more in it than any has.
    """
    try:
        said: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadValueError("a hint is no JSON") from error
    if not isinstance(said, dict):
        raise BadValueError("a hint is no object")
    logs = _list(said.get("logs"), "events", LOGS_MAX)
    calls = _list(said.get("txs"), "calls", CALLS_MAX)
    return Hint(
        hash=parse_hash(said.get("hash"), "a hint's hash"),
        logs=tuple(_log(one) for one in logs),
        calls=tuple(_call(one) for one in calls),
        gas_price_wei=parse_quantity(
            said.get("mevGasPrice") or "0x0", "a hint's gas price", most=_PRICE_WEI_MAX
        ),
        gas_used=parse_quantity(said.get("gasUsed") or "0x0", "a hint's gas", most=_GAS_MAX),
    )


async def hints(
    url: str, session: aiohttp.ClientSession, *, on_bad: Callable[[str], None]
) -> AsyncGenerator[Hint, None]:
    """Listen to a stream until it ends.

    Args:
        url: of the stream.
        session: that asks.
        on_bad: is told of each event that is no hint; the stream goes on.

    Raises:
        TransientError: it broke off, fell silent, or is none; it may be opened again.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENCE_S, sock_read=SILENCE_S)
    headers = {"Accept": "text/event-stream"}
    try:
        async with session.get(url, headers=headers, timeout=timeout) as response:
            if response.status != 200 or response.content_type != "text/event-stream":  # noqa: PLR2004 - of HTTP
                raise TransientError(f"no stream of hints: {response.status}")
            async for line in _lines(response.content):
                if line.startswith(_DATA):
                    try:
                        yield parse_hint(line[len(_DATA) :])
                    except BadValueError as error:
                        on_bad(str(error))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise TransientError(f"the stream of hints broke off: {type(error).__name__}") from error
    raise TransientError("the stream of hints ended")


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[bytes]:
    """Return whole lines, however they come in pieces."""
    rest = b""
    async for piece in content.iter_any():
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line.strip()
        if len(rest) > LINE_BYTES_MAX:
            raise TransientError(f"a line of more than {LINE_BYTES_MAX} bytes among hints")


def _list(said: Any, what: str, most: int) -> list[Any]:
    if said is None:
        return []
    if not isinstance(said, list) or len(said) > most:
        raise BadValueError(f"{what} of a hint are no list of {most} at most")
    return said


def _log(said: Any) -> HintLog:
    if not isinstance(said, dict):
        raise BadValueError("an event of a hint is no object")
    topics = _list(said.get("topics"), "topics", TOPICS_MAX)
    return HintLog(
        address=parse_address(said.get("address"), "an address of a hint"),
        topics=tuple(parse_bytes(one, "a topic of a hint", length=32) for one in topics),
        data=parse_bytes(said.get("data") or "0x", "the data of an event of a hint"),
    )


def _call(said: Any) -> HintCall:
    if not isinstance(said, dict):
        raise BadValueError("a call of a hint is no object")
    to, selector = said.get("to"), said.get("functionSelector")
    return HintCall(
        to="" if to is None else parse_address(to, "an address of a hint"),
        selector=b""
        if selector is None
        else parse_bytes(selector, "a selector of a hint", length=_SELECTOR_BYTES),
        data=parse_bytes(said.get("callData") or "0x", "a call of a hint"),
    )
