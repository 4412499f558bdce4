"""Whether an answer can be one to its question at all, and what it says of the provider's head."""

from collections.abc import Mapping, Sequence
from typing import Final

from engine.chains.ports import Json, Log
from engine.chains.rpc.log_lists import LogAnswer, are_of_one_block, kinds_of, read_logs
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.parsing import (
    BLOCK_NUMBER_MAX,
    parse_block,
    parse_bytes,
    parse_hash,
    parse_quantity,
)
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.errors import BadValueError

TAGS: Final = ("latest", "pending", "safe", "finalized")
_NEWEST: Final = ("latest", "pending")
_QUANTITIES: Final = frozenset(
    ("eth_blockNumber", "eth_chainId", "eth_gasPrice", "eth_maxPriorityFeePerGas",
     "eth_estimateGas", "eth_getBalance", "eth_getTransactionCount")
)  # fmt: skip
_BYTES: Final = frozenset({"eth_call", "eth_getCode", "eth_getStorageAt"})
_PURE: Final = ("eth_get", "eth_call", "eth_fee", "net_", "web3_", "debug_trace", "trace_")


def is_repeatable(asked: Sequence[Asked]) -> bool:
    """Say whether asking twice changes nothing."""
    return all(method in _QUANTITIES or method.startswith(_PURE) for method, _ in asked)


def block_needed(asked: Sequence[Asked]) -> int | None:
    """Return the newest block that these questions name by its number, None if none is named."""
    return max((one for method, params in asked for one in _numbers(method, params)), default=None)


def wants_newest(asked: Sequence[Asked]) -> bool:
    """Say whether a question is about the newest block, whichever that is."""
    return any(
        method == "eth_blockNumber"
        or any(one in _NEWEST for one in params)
        or any(isinstance(one, dict) and one.get("toBlock") in _NEWEST for one in params)
        for method, params in asked
    )


def is_of_named_block(method: str, params: Sequence[Json]) -> bool:
    """Say whether the answer is of a block named by its hash, and thus the same for ever."""
    if method in ("eth_getBlockByHash", "eth_chainId"):
        return True
    return any(isinstance(one, dict) and isinstance(one.get("blockHash"), str) for one in params)


def checked(
    asked: Sequence[Asked], answers: Sequence[Json | ProviderError]
) -> list[Json | ProviderError]:
    """Return answers that can be; events among them are read, and need not be again.

    Raises:
        ProviderError: one of them cannot be; the text says why.
    """
    sound: list[Json | ProviderError] = []
    for (method, params), answer in zip(asked, answers, strict=True):
        if isinstance(answer, ProviderError):
            sound.append(answer)
            continue
        try:
            if method == "eth_getLogs":
                answer = LogAnswer(answer, read_logs(answer))  # noqa: PLW2901 - the same, read
            _check_one(method, params, answer)
            sound.append(answer)
        except BadValueError as error:
            raise ProviderError(Trouble.BAD_SHAPE, f"{method}: {error}") from None
    return sound


def newest_told(asked: Sequence[Asked], answers: Sequence[Json | ProviderError]) -> int | None:
    """Return the number of the newest block that checked answers tell, None if they tell none."""
    newest: int | None = None
    for (method, params), answer in zip(asked, answers, strict=True):
        if method == "eth_blockNumber" and isinstance(answer, str):
            newest = int(answer, 16)
        elif (
            method == "eth_getBlockByNumber" and isinstance(answer, dict) and params[0] == "latest"
        ):
            newest = parse_block(answer).number
    return newest


def parse_logs(said: Json, asked: Mapping[str, Json]) -> Sequence[Log]:
    """Return the events that were asked for, in the order of their places.

    Raises:
        BadValueError: one was not asked for, is there twice, or they are of two branches.
    """
    logs = read_logs(said)
    first, last = _span(asked)
    topics, contracts = _wanted_topics(asked.get("topics")), _wanted_contracts(asked.get("address"))
    block_hash = asked.get("blockHash")
    if (
        are_of_one_block(logs)
        and block_hash in (None, logs[0].block_hash)
        and first <= logs[0].block_number <= last
        and not (topics and kinds_of(logs) - topics)
        and not (contracts and {log.address for log in logs} - contracts)
    ):
        return logs  # so it is nearly always; else the first that is wrong is named
    hashes: dict[int, str] = {}
    seen = set()
    for log in logs:
        place = (log.block_number, log.index)
        if not first <= log.block_number <= last:
            raise BadValueError(f"an event of block {log.block_number}, not {first} to {last}")
        if block_hash is not None and log.block_hash != block_hash:
            raise BadValueError(f"an event of another block {log.block_number}")
        if topics and (not log.topics or log.topics[0] not in topics):
            raise BadValueError(f"an event that was not asked for, at {place}")
        if contracts and log.address not in contracts:
            raise BadValueError(f"an event of another contract, {log.address}")
        if hashes.setdefault(log.block_number, log.block_hash) != log.block_hash:
            raise BadValueError(f"events of two blocks {log.block_number}")
        if place in seen:
            raise BadValueError(f"two events at {place}")
        seen.add(place)
    return sorted(logs, key=lambda log: (log.block_number, log.index))


def _check_one(method: str, params: Sequence[Json], answer: Json) -> None:
    if method in _QUANTITIES:
        most = BLOCK_NUMBER_MAX if method == "eth_blockNumber" else 2**256 - 1
        parse_quantity(answer, "the answer", most=most)
    elif method in _BYTES:
        parse_bytes(answer, "the answer")
    elif method == "eth_getLogs":
        asked = params[0] if params and isinstance(params[0], dict) else {}
        parse_logs(answer, asked)
    elif method in ("eth_getBlockByNumber", "eth_getBlockByHash") and answer is not None:
        _check_block(params[0], answer)
    elif method == "eth_getTransactionReceipt" and answer is not None:
        told = answer.get("transactionHash") if isinstance(answer, dict) else None
        if parse_hash(told, "a receipt's transaction") != params[0]:
            raise BadValueError("another transaction's receipt")


def _check_block(named: Json, answer: Json) -> None:
    if named == "pending" and isinstance(answer, dict):
        return  # it is still being made, and has no hash yet
    block = parse_block(answer)
    is_meant = named in (*TAGS, "earliest", block.hash) or block.number == _number(named)
    if not is_meant:
        raise BadValueError(f"block {block.number} {block.hash}, where {named} was asked for")


def _numbers(method: str, params: Sequence[Json]) -> list[int]:
    """Return the blocks that a question names by their numbers."""
    named: list[Json] = []
    if method in ("eth_getBlockByNumber", "eth_getBlockReceipts") and params:
        named.append(params[0])
    elif method == "eth_getLogs" and params and isinstance(params[0], dict):
        named.append(params[0].get("toBlock"))
    elif len(params) > 1:
        named.append(params[-1])
    return [number for one in named if (number := _number(one)) is not None]


def _number(said: Json) -> int | None:
    if said is None:
        return None
    try:
        return parse_quantity(said, "a block", most=BLOCK_NUMBER_MAX)
    except BadValueError:
        return None


def _span(asked: Mapping[str, Json]) -> tuple[int, int]:
    first, last = _number(asked.get("fromBlock")), _number(asked.get("toBlock"))
    return first or 0, BLOCK_NUMBER_MAX if last is None else last


def _wanted_topics(asked: Json) -> frozenset[bytes]:
    """Return the first topics asked for, none if any may come."""
    first = asked[0] if isinstance(asked, list) and asked else None
    several = first if isinstance(first, list) else [first]
    return frozenset(bytes.fromhex(one[2:]) for one in several if isinstance(one, str))


def _wanted_contracts(asked: Json) -> frozenset[str]:
    several = asked if isinstance(asked, list) else [asked]
    return frozenset(one.lower() for one in several if isinstance(one, str))
