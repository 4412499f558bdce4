"""Numbers and bytes of bodies: text in hexadecimal or decimal digits, checked before it counts."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from operator import attrgetter
from typing import Any, Final, TypeVar

import msgspec

from bot.web.hooks.provider import EVENTS_MAX, ToldLog, UnreadableError
from engine.bus.hooked import Level

WORD_DIGITS: Final = 64
ADDRESS_DIGITS: Final = 40
NUMBER_MAX: Final = 2**53
LOG_INDEX_MAX: Final = 2**24
TOPICS_MAX: Final = 4
DATA_BYTES_MAX: Final = 1_048_576
_HEX: Final = re.compile(r"0[xX]((?:[0-9a-fA-F]{2})*)\Z", re.ASCII)
_NUMBER: Final = re.compile(r"(?:0[xX]([0-9a-fA-F]{1,16})|([0-9]{1,18}))\Z", re.ASCII)
_SHOWN: Final = 40

Body = TypeVar("Body")
Log = TypeVar("Log")


def decode(text: bytes, kind: type[Body]) -> Body:
    """Return a body as its type, whatever else stands in it.

    Raises:
        UnreadableError: it is no JSON, nested too deep, or another thing.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise UnreadableError(f"the body cannot be read: {error}") from error


def number(value: str | int | None, what: str, *, most: int = NUMBER_MAX) -> int:
    """Return a whole number that stands there as text of either kind, or as one.

    Raises:
        UnreadableError: it does not.
    """
    found: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and (match := _NUMBER.match(value)):
        found = int(match[1], 16) if match[1] is not None else int(match[2])
    if found is None or not 0 <= found <= most:
        raise UnreadableError(f"{what} is {_shown(value)}, no whole number up to {most}")
    return found


def some_bytes(value: str | None, what: str, *, length: int | None = None) -> bytes:
    """Return bytes that stand there as 0x and digits.

    Raises:
        UnreadableError: they do not, or are not so many.
    """
    match = _HEX.match(value) if isinstance(value, str) else None
    if match is None:
        raise UnreadableError(f"{what} is {_shown(value)}, no bytes in hexadecimal")
    read = bytes.fromhex(match[1])
    if length is not None and len(read) != length:
        raise UnreadableError(f"{what} has {len(read)} bytes, not {length}")
    if len(read) > DATA_BYTES_MAX:
        raise UnreadableError(f"{what} has {len(read)} bytes, more than any event")
    return read


def hashed(value: str | None, what: str) -> str:
    """Return 0x and 64 digits in lower case; raises `UnreadableError`."""
    return f"0x{some_bytes(value, what, length=WORD_DIGITS // 2).hex()}"


def address(value: str | None, what: str) -> str:
    """Return 0x and 40 digits in lower case; raises `UnreadableError`."""
    return f"0x{some_bytes(value, what, length=ADDRESS_DIGITS // 2).hex()}"


def topics(values: Iterable[str | None]) -> tuple[bytes, ...]:
    """Return topics up to the first one that is absent; raises `UnreadableError`."""
    found: list[bytes] = []
    is_over = False
    for value in values:
        if value is None:
            is_over = True
            continue
        if is_over or len(found) >= TOPICS_MAX:
            raise UnreadableError("an event's topics are not in a row of four at most")
        found.append(some_bytes(value, "a topic", length=WORD_DIGITS // 2))
    return tuple(found)


def instant_s(value: str | int | None, what: str) -> int:
    """Return an instant in seconds since 1970, of a number or of a text such as RFC 3339 has.

    Raises:
        UnreadableError: it is neither.
    """
    if isinstance(value, str) and "T" in value:
        # Python takes microseconds at most; providers write nanoseconds.
        cut = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", value)
        try:
            moment = datetime.fromisoformat(cut)
        except ValueError:
            raise UnreadableError(f"{what} is {_shown(value)}, no instant") from None
        if moment.tzinfo is None:
            raise UnreadableError(f"{what} is {_shown(value)}, in no time zone")
        return int(moment.timestamp())
    return number(value, what)


def bounded(logs: Iterable[Log]) -> list[Log]:
    """Return events before any of them is looked at.

    Raises:
        UnreadableError: they are more than one body has.
    """
    found = list(islice(logs, EVENTS_MAX + 1))
    if len(found) > EVENTS_MAX:
        raise UnreadableError(f"a body has more than {EVENTS_MAX} events")
    return found


def in_order(logs: Sequence[ToldLog]) -> tuple[ToldLog, ...]:
    """Return events by block and place."""
    return tuple(sorted(logs, key=attrgetter("block_number", "log_index")))


class NodeLog(msgspec.Struct, rename="camel"):
    """An event as nodes write it, and with them several providers."""

    address: str
    topics: list[str]
    data: str
    block_number: str | int
    transaction_hash: str
    log_index: str | int
    block_hash: str
    removed: bool | None = None

    def told(self) -> ToldLog:
        """Return the event; raises `UnreadableError`."""
        return ToldLog(
            block_number=number(self.block_number, "an event's block"),
            block_hash=hashed(self.block_hash, "an event's block hash"),
            tx_hash=hashed(self.transaction_hash, "an event's transaction"),
            log_index=number(self.log_index, "an event's place", most=LOG_INDEX_MAX),
            address=address(self.address, "an event's contract"),
            topics=topics(self.topics),
            data=some_bytes(self.data, "an event's data"),
            level=Level.REMOVED if self.removed else Level.SEEN,
        )


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
