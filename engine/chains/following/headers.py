"""Headers and events as nodes tell them, checked against each other.

Raises BadValueError throughout: what does not fit is a lie or a mistake, and is not used.
"""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from engine.chains.following.blooms import BLOOM_BYTES, bloom_of, may_hold
from engine.chains.ports import BlockRef, Json, Log
from engine.chains.rpc.log_lists import are_of_one_block, kinds_of, read_logs
from engine.chains.rpc.parsing import parse_block, parse_bytes
from engine.domain.errors import BadValueError

LOGS_MAX: Final = 20_000
"""Of one block: its gas does not pay for more on any chain."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """A block and the filter of its events; no filter where the chain's headers have none."""

    ref: BlockRef
    bloom: int | None


def parse_header(value: Json, *, has_bloom: bool = True) -> Header:
    """Return a header of `newHeads` or eth_getBlockBy….

    Raises:
        BadValueError: it cannot be one.
    """
    ref = parse_block(value)
    assert isinstance(value, dict)
    if not has_bloom:
        return Header(ref=ref, bloom=None)
    bloom = parse_bytes(value.get("logsBloom"), "a block's bloom filter", length=BLOOM_BYTES)
    return Header(ref=ref, bloom=int.from_bytes(bloom, "big"))


def parse_logs(value: Json, header: Header, topics: Collection[bytes]) -> Sequence[Log]:
    """Return the events of these kinds that a node gives for a block, in their order.

    Raises:
        BadValueError: they cannot be the block's, or were not asked for.
    """
    logs = _parse(value, header)
    if not kinds_of(logs) <= {*topics}:
        wrong = next(log for log in logs if not log.topics or log.topics[0] not in topics)
        raise BadValueError(f"event {wrong.index} of block {wrong.block_number} was not asked for")
    if header.bloom is not None and bloom_of(logs) & ~header.bloom:
        raise BadValueError(
            f"an event given for block {header.ref.number} is not in its bloom filter"
        )
    return logs


def is_suspect(logs: Collection[Log], header: Header, topics: Collection[bytes]) -> bool:
    """Say whether there may be events that an empty answer left out: the whole block then tells."""
    if logs or header.bloom is None:
        return False
    return any(may_hold(header.bloom, topic) for topic in topics)


def parse_whole(value: Json, header: Header, topics: Collection[bytes]) -> Sequence[Log]:
    """Return the events of these kinds out of all of a block's, whose filter has to be the block's.

    Raises:
        BadValueError: some are missing, or they cannot be the block's.
    """
    logs = _parse(value, header)
    if header.bloom is not None and bloom_of(logs) != header.bloom:
        raise BadValueError(
            f"the events given for block {header.ref.number} are not those of its bloom filter"
        )
    return tuple(log for log in logs if log.topics and log.topics[0] in topics)


def _parse(value: Json, header: Header) -> Sequence[Log]:
    if not isinstance(value, list):
        raise BadValueError(f"events of a block are a {type(value).__name__}")
    if len(value) > LOGS_MAX:
        raise BadValueError(f"{len(value)} events of a block; at most {LOGS_MAX} can be true")
    logs, named = read_logs(value), (header.ref.hash, header.ref.number)
    if are_of_one_block(logs) and (logs[0].block_hash, logs[0].block_number) == named:
        return logs
    by_index: dict[int, Log] = {}
    for log in logs:
        if (log.block_hash, log.block_number) != named:
            raise BadValueError(
                f"an event of block {log.block_number} {log.block_hash} was given for"
                f" {header.ref.number} {header.ref.hash}"
            )
        if by_index.setdefault(log.index, log) != log:
            raise BadValueError(f"two events are number {log.index} of block {log.block_number}")
    return tuple(by_index[index] for index in sorted(by_index))
