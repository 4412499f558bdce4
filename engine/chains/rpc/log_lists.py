"""Events of an answer, all of them read at once, and once only.

A block has hundreds of events on their way to a decision. The pool of providers checks them, the
quorum compares them, the chain's machine takes them: each has to have them read, and one reading
serves all. What many have in common is looked at once for all of them. Where anything is not as
it should be, each is read by itself, and the first wrong one is named.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import itemgetter, lt
from typing import Any

import msgspec

from engine.chains.ports import Json, Log
from engine.chains.rpc.block_logs import BlockLogs
from engine.chains.rpc.parsing import (
    ADDRESS_BYTES,
    BLOCK_NUMBER_MAX,
    HASH_BYTES,
    LOG_INDEX_MAX,
    TOPICS_MAX,
    number_of,
    parse_hash,
    parse_log,
    parse_quantity,
    topic_of,
)
from engine.domain.errors import BadValueError

_fields_of = itemgetter(
    "address", "topics", "data", "blockNumber", "blockHash", "transactionHash", "logIndex",
    "removed",
)  # fmt: skip


class WireLog(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """An event as a node writes it, as far as it is read; text that nobody has looked at yet.

    The text of a block's events is read into these in two thirds of the time that objects with any
    fields take.
    """

    address: str
    topics: tuple[str, ...]
    data: str
    block_number: str
    block_hash: str
    transaction_hash: str
    log_index: str
    removed: bool = False


class LogAnswer(list[Any]):
    """An answer of events as a node wrote it, beside these as they were read.

    Its items are what JSON says, or `WireLog`; who wants events asks `read_logs`.

    Attributes:
        logs: in the order of the answer.
    """

    def __init__(self, said: Json, logs: Sequence[Log]) -> None:
        super().__init__(said if isinstance(said, list) else ())
        self.logs = logs


def read_logs(said: Json) -> Sequence[Log]:
    """Return the events of an answer, in its order.

    Raises:
        BadValueError: it is no list, or one cannot be an event that stands in a block.
    """
    if isinstance(said, LogAnswer):
        return said.logs
    if not isinstance(said, list):
        raise BadValueError("events that are no list")
    if not said:
        return ()
    logs = _at_once(said)
    return tuple([parse_log(_fields(one)) for one in said]) if logs is None else logs


def are_of_one_block(logs: Sequence[Log]) -> bool:
    """Say whether there are events, of one and the same block, in their order and none twice."""
    if isinstance(logs, BlockLogs):
        return logs.is_in_order
    places = [log.index for log in logs]
    return (
        len({log.block_hash for log in logs}) == 1
        and len({log.block_number for log in logs}) == 1
        and all(map(lt, places, places[1:]))
    )


def kinds_of(logs: Sequence[Log]) -> set[bytes | None]:
    """Return of which kinds events are, by their first topics; None stands for one without any."""
    if isinstance(logs, BlockLogs):
        return logs.kinds
    return {log.topics[0] if log.topics else None for log in logs}


def _fields(one: Any) -> Json:
    """Return an event as any program may read it."""
    if not isinstance(one, WireLog):
        return one  # type: ignore[no-any-return]
    return {**msgspec.to_builtins(one), "topics": [*one.topics]}


def _at_once(said: Sequence[Any]) -> BlockLogs | None:
    """Return the events of one block; None where they are to be read one by one."""
    try:
        addresses, topics, data, numbers, hashes, transactions, indexes, removed = _columns(said)
        count = len(said)
        if (
            not count
            == removed.count(False)
            == numbers.count(numbers[0])
            == hashes.count(hashes[0])
        ):
            return None
        each, different = _topics(topics)
        return BlockLogs(
            block_number=parse_quantity(numbers[0], "", most=BLOCK_NUMBER_MAX),
            block_hash=parse_hash(hashes[0], ""),
            addresses=_texts(addresses, ADDRESS_BYTES),
            topics=each,
            data=_bodies(data),
            tx_hashes=_texts(transactions, HASH_BYTES),
            indexes=_places(indexes),
            different=different,
        )
    except (AttributeError, BadValueError, KeyError, TypeError, ValueError):
        return None


def _columns(said: Sequence[Any]) -> Sequence[Any]:
    """Return the fields of events side by side.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: one is no event.
    """
    if type(said[0]) is not WireLog:
        return tuple(zip(*map(_fields_of, said), strict=True))
    return (
        [one.address for one in said],
        [one.topics for one in said],
        [one.data for one in said],
        [one.block_number for one in said],
        [one.block_hash for one in said],
        [one.transaction_hash for one in said],
        [one.log_index for one in said],
        [one.removed for one in said],
    )


def _texts(texts: Sequence[str], length: int) -> Sequence[str]:
    """Return texts of so many bytes each, in lower case.

    Raises:
        ValueError, TypeError: one is none.
    """
    width, joined = 2 + 2 * length, "".join(texts)
    if set(map(len, texts)) != {width}:
        raise ValueError
    _read(joined, len(texts), length)
    lowered = joined.lower()
    if joined == lowered:
        return texts
    return [lowered[at : at + width] for at in range(0, len(lowered), width)]


def _read(joined: str, count: int, length: int) -> bytes:
    """Return the bytes of joined texts of so many each, and a zero before each.

    Every text has as many characters.

    Raises:
        ValueError: one is none.
    """
    # A zero and an x before each, and nowhere else: read as a byte of its own it is left out.
    ones = joined[:: 2 + 2 * length], joined[1 :: 2 + 2 * length]
    if ones != ("0" * count, "x" * count) or joined.count("x") != count:
        raise ValueError
    read = bytes.fromhex(joined.replace("x", "0"))
    if len(read) != count * (1 + length):  # blanks between bytes are taken as well
        raise ValueError
    return read


def _bodies(texts: Sequence[str]) -> list[bytes]:
    """Return the bytes of texts of any length.

    Raises:
        ValueError, TypeError: one is none.
    """
    lengths = list(map(len, texts))
    size, half = divmod(lengths[0] - 2, 2)
    if size > 0 and not half and lengths.count(lengths[0]) == len(texts):
        read = _read("".join(texts), len(texts), size)
        return [read[at : at + size] for at in range(1, len(read), 1 + size)]
    if "".join([one[:2] for one in texts]) != "0x" * len(texts):
        raise ValueError
    read = bytes.fromhex("".join([one[2:] for one in texts]))
    ends = list(accumulate([length // 2 - 1 for length in lengths], initial=0))
    if len(read) != ends[-1]:  # half a byte of one, made whole by another, is not counted
        raise ValueError
    return [read[first:end] for first, end in pairwise(ends)]


def _places(texts: Sequence[str]) -> list[int]:
    """Return places among a block's events.

    Raises:
        ValueError, TypeError: one is none.
    """
    "".join(texts)
    places = [place for text in texts if (place := number_of(text)) is not None]
    if len(places) < len(texts) or max(places) > LOG_INDEX_MAX:
        raise ValueError
    return places


def _topics(
    lists: Sequence[Any],
) -> tuple[list[tuple[bytes, ...]], Sequence[tuple[bytes, ...]]]:
    """Return the topics of each event, the same object where they are the same, and each of these.

    Raises:
        BadValueError, ValueError, TypeError: some are none.
    """
    if not {*map(type, lists)} <= {list, tuple}:
        raise ValueError
    texts = list(map(tuple, lists))
    different = {texts[0]} if texts.count(texts[0]) == len(texts) else set(texts)
    if max(map(len, different)) > TOPICS_MAX:
        raise ValueError
    read = {one: tuple(map(topic_of, one)) for one in different}
    if len(different) == 1:
        return [read[texts[0]]] * len(texts), (*read.values(),)
    # Texts may differ, in capitals, and say the same.
    return [read[one] for one in texts], (*set(read.values()),)
