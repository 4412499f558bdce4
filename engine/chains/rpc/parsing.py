"""Hexadecimal text of nodes as numbers, bytes and values; what cannot be true is refused.

Raises BadValueError throughout: whoever asked knows which provider that was.
"""

import re
from typing import Final

from engine.chains.ports import BlockRef, Json, Log
from engine.domain.errors import BadValueError

QUANTITY_DIGITS_MAX: Final = 64
BLOCK_NUMBER_MAX: Final = 2**40
"""At ten blocks a millisecond it takes three years to get there from none."""

SECOND_MAX: Final = 2**34
"""The year 2514."""

LOG_INDEX_MAX: Final = 2**24
TOPICS_MAX: Final = 4

_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*", re.ASCII)
_SHOWN: Final = 40


def parse_quantity(value: Json, what: str, *, most: int = 2**256 - 1) -> int:
    """Return a number of up to 256 bits.

    Raises:
        BadValueError: it is none, or above `most`.
    """
    if not isinstance(value, str) or _QUANTITY.fullmatch(value) is None:
        raise BadValueError(f"{what} is no number in hexadecimal: {_shown(value)}")
    number = int(value, 16)
    if number > most:
        raise BadValueError(f"{what} is {number}, and at most {most} can be true")
    return number


def parse_bytes(value: Json, what: str, *, length: int | None = None) -> bytes:
    """Return bytes, of exactly this length if one is named.

    Raises:
        BadValueError: they are none, or not so many.
    """
    if not isinstance(value, str) or _DATA.fullmatch(value) is None:
        raise BadValueError(f"{what} is no bytes in hexadecimal: {_shown(value)}")
    if length is not None and len(value) != 2 + 2 * length:
        raise BadValueError(f"{what} is {len(value) // 2 - 1} bytes long, not {length}")
    return bytes.fromhex(value[2:])


def parse_hash(value: Json, what: str) -> str:
    """Return 0x and 64 digits in lower case.

    Raises:
        BadValueError: it is something else.
    """
    return "0x" + parse_bytes(value, what, length=32).hex()


def parse_address(value: Json, what: str) -> str:
    """Return 0x and 40 digits in lower case.

    Raises:
        BadValueError: it is something else.
    """
    return "0x" + parse_bytes(value, what, length=20).hex()


def parse_block(value: Json) -> BlockRef:
    """Return the block of a header, as eth_getBlockBy… and newHeads tell it.

    Raises:
        BadValueError: it cannot be one.
    """
    fields = _fields(value, "a block")
    block = BlockRef(
        number=parse_quantity(fields.get("number"), "a block's number", most=BLOCK_NUMBER_MAX),
        hash=parse_hash(fields.get("hash"), "a block's hash"),
        parent_hash=parse_hash(fields.get("parentHash"), "a block's parent"),
        made_at_s=parse_quantity(fields.get("timestamp"), "a block's time", most=SECOND_MAX),
    )
    if block.hash == block.parent_hash:
        raise BadValueError(f"block {block.number} is its own parent")
    return block


def parse_log(value: Json) -> Log:
    """Return an event that stands in a block.

    Raises:
        BadValueError: it cannot be one, or it was undone by a reorganisation.
    """
    fields = _fields(value, "an event")
    if fields.get("removed") not in (None, False):
        raise BadValueError("an event was undone")
    topics = fields.get("topics")
    if not isinstance(topics, list) or len(topics) > TOPICS_MAX:
        raise BadValueError(f"an event's topics are {_shown(topics)}")
    return Log(
        address=parse_address(fields.get("address"), "an event's contract"),
        topics=tuple(parse_bytes(topic, "a topic", length=32) for topic in topics),
        data=parse_bytes(fields.get("data"), "an event's data"),
        block_number=parse_quantity(
            fields.get("blockNumber"), "an event's block number", most=BLOCK_NUMBER_MAX
        ),
        block_hash=parse_hash(fields.get("blockHash"), "an event's block"),
        tx_hash=parse_hash(fields.get("transactionHash"), "an event's transaction"),
        index=parse_quantity(fields.get("logIndex"), "an event's place", most=LOG_INDEX_MAX),
    )


def hex_number(number: int) -> str:
    """Return a number as nodes take it."""
    return hex(number)


def hex_bytes(value: bytes) -> str:
    """Return bytes as nodes take them."""
    return "0x" + value.hex()


def _fields(value: Json, what: str) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise BadValueError(f"{what} is {_shown(value)}")
    return value


def _shown(value: Json) -> str:
    text = value if isinstance(value, str) else type(value).__name__
    return ascii(text[:_SHOWN])
