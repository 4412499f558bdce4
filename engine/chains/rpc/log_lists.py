"""Events of an answer, all of them read at once, and once only.

A block has hundreds of events on their way to a decision. The pool of providers checks them, the
quorum compares them, the chain's machine takes them: each has to have them read, and one reading
serves all. What many have in common is looked at once for all of them. Where anything is not as
it should be, each is read by itself, and the first wrong one is named.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter, lt

from engine.chains.ports import Json, Log
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


class LogAnswer(list[Json]):
    """An answer of events as a node wrote it, beside these as they were read.

    Attributes:
        logs: in the order of the answer.
    """

    def __init__(self, said: Json, logs: tuple[Log, ...]) -> None:
        super().__init__(said if isinstance(said, list) else ())
        self.logs = logs


def read_logs(said: Json) -> tuple[Log, ...]:
    """Return the events of an answer, in its order.

    Raises:
        BadValueError: it is no list, or one cannot be an event that stands in a block.
    """
    if isinstance(said, LogAnswer):
        return said.logs
    if not isinstance(said, list):
        raise BadValueError("events that are no list")
    logs = _at_once(said) if said else ()
    return tuple(map(parse_log, said)) if logs is None else logs


def are_of_one_block(logs: Sequence[Log]) -> bool:
    """Say whether there are events, of one and the same block, in their order and none twice."""
    places = [log.index for log in logs]
    return (
        len({log.block_hash for log in logs}) == 1
        and len({log.block_number for log in logs}) == 1
        and all(map(lt, places, places[1:]))
    )


def kinds_of(logs: Sequence[Log]) -> set[bytes | None]:
    """Return of which kinds events are, by their first topics; None stands for one without any."""
    return {log.topics[0] if log.topics else None for log in logs}


def _at_once(said: list[Json]) -> tuple[Log, ...] | None:
    """Return the events of one block; None where they are to be read one by one."""
    try:
        columns = zip(*map(_fields_of, said), strict=True)  # type: ignore[arg-type]
        addresses, topics, data, numbers, hashes, transactions, indexes, removed = columns
        count = len(said)
        if (
            not count
            == removed.count(False)
            == numbers.count(numbers[0])
            == hashes.count(hashes[0])
        ):
            return None
        contracts = _texts(addresses, ADDRESS_BYTES)
        tx_hashes = _texts(transactions, HASH_BYTES)
        bodies = _bodies(data)
        places = _places(indexes)
        kinds = _topics(topics)
        number = parse_quantity(numbers[0], "", most=BLOCK_NUMBER_MAX)
        block_hash = parse_hash(hashes[0], "")
    except (BadValueError, KeyError, TypeError, ValueError):
        return None
    return tuple(
        [
            Log(
                address=address,
                topics=kind,
                data=body,
                block_number=number,
                block_hash=block_hash,
                tx_hash=tx_hash,
                index=place,
            )
            for address, kind, body, tx_hash, place in zip(
                contracts, kinds, bodies, tx_hashes, places, strict=True
            )
        ]
    )


def _texts(texts: Sequence[str], length: int) -> Sequence[str]:
    """Return texts of so many bytes each, in lower case.

    Raises:
        ValueError, TypeError: one is none.
    """
    count, width = len(texts), 2 + 2 * length
    joined = "".join(texts)
    if set(map(len, texts)) != {width} or (joined[::width], joined[1::width]) != (
        "0" * count,
        "x" * count,
    ):
        raise ValueError
    # Blanks between bytes are taken as well, and then there are fewer.
    if len(bytes.fromhex(joined.replace("0x", ""))) != count * length:
        raise ValueError
    if joined.islower():
        return texts
    lowered = joined.lower()
    return [lowered[at : at + width] for at in range(0, len(lowered), width)]


def _bodies(texts: Sequence[str]) -> Iterator[bytes]:
    """Return the bytes of texts of any length.

    Raises:
        ValueError, TypeError: one is none.
    """
    lengths = list(map(len, texts))
    if "".join([one[:2] for one in texts]) != "0x" * len(texts):
        raise ValueError
    read = bytes.fromhex("".join([one[2:] for one in texts]))
    ends = list(accumulate([length // 2 - 1 for length in lengths], initial=0))
    if len(read) != ends[-1]:  # half a byte of one, made whole by another, is not counted
        raise ValueError
    return (read[first:end] for first, end in pairwise(ends))


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


def _topics(lists: Sequence[list[Json]]) -> list[tuple[bytes, ...]]:
    """Return the topics of each event.

    Raises:
        BadValueError, ValueError, TypeError: some are none.
    """
    if set(map(type, lists)) != {list} or max(map(len, lists)) > TOPICS_MAX:
        raise ValueError
    # A kind stands in each of its events: each text is read once.
    read = {text: topic_of(text) for text in set().union(*lists)}
    return [tuple([read[text] for text in one]) for one in lists]
