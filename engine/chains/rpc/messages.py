"""The texts of JSON-RPC: questions with their numbers, and answers that must carry the same."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from engine.chains.ports import Json
from engine.chains.rpc.log_lists import WireLog
from engine.chains.rpc.troubles import ProviderError, Trouble, shown, told_error

CONTAINERS_MAX: Final = 400_000
"""Most lists and objects of an answer: each costs 64 bytes or more, in the text only two."""

Asked = tuple[str, Sequence[Json]]


class Answer(msgspec.Struct):
    """What a node says: an answer, or a subscription's news, which has no number."""

    id: Any = None
    result: Any = msgspec.UNSET
    error: Any = None
    method: Any = None
    params: Any = None


class LogsAnswer(Answer):
    """What a node says of a block's events."""

    result: list[WireLog] | msgspec.UnsetType = msgspec.UNSET


_BATCH_MAX: Final = 2
"""A block's events are asked for alone, or with its header."""

_decoder: Final = msgspec.json.Decoder(Answer | list[Answer])
_encoder: Final = msgspec.json.Encoder()


def encode(asked: Sequence[Asked], first_id: int) -> bytes:
    """Return the text that asks these things, numbered from `first_id`."""
    texts = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(asked, first_id)
    ]
    return _encoder.encode(texts[0] if len(texts) == 1 else texts)


def decode(text: bytes | str, asked: Sequence[Asked] = ()) -> Answer | list[Answer]:
    """Return what a text says.

    Args:
        text: of an answer, or of a subscription's news.
        asked: what it is to answer: a block's events come as `WireLog` where they can.

    Raises:
        ProviderError: it is no JSON-RPC, or would take up too much memory.
    """
    if len(text) > CONTAINERS_MAX and _containers(text) > CONTAINERS_MAX:
        raise ProviderError(Trouble.OVERSIZE, f"an answer of over {CONTAINERS_MAX} parts")
    are_logs = tuple([_is_of_kinds(*one) for one in asked[: _BATCH_MAX + 1]])
    if any(are_logs) and len(are_logs) <= _BATCH_MAX:
        try:
            found: Answer | tuple[Answer, ...] = _logs_decoder(are_logs).decode(text)
            return found if isinstance(found, Answer) else [*found]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            pass  # it is read once more, so that what is wrong can be named
    try:
        said: Answer | list[Answer] = _decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ProviderError(Trouble.BAD_JSON, str(error)) from None
    return said


def answers_to(
    asked: Sequence[Asked], first_id: int, said: Answer | list[Answer]
) -> list[Json | ProviderError]:
    """Return the answers in the order of the questions.

    Raises:
        ProviderError: they are answers to something else, or there is none to any question.
    """
    if isinstance(said, Answer):
        if said.id is None and said.error is not None:
            raise told_error(asked[0][0], said.error)  # it could not even read the number
        said = [said]
    by_id: dict[int, Answer] = {}
    for one in said:
        if type(one.id) is not int or one.id in by_id:
            raise ProviderError(Trouble.WRONG_ID, f"an answer numbered {shown(repr(one.id))}")
        by_id[one.id] = one
    if by_id.keys() != set(range(first_id, first_id + len(asked))):
        raise ProviderError(Trouble.WRONG_ID, f"{len(by_id)} answers to {len(asked)} other ones")
    return [_answer(method, by_id[number]) for number, (method, _) in enumerate(asked, first_id)]


def _is_of_kinds(method: str, params: Sequence[Json]) -> bool:
    """Say whether a question is for a block's events of some kinds, as who follows a chain asks.

    Who asks for those of some contracts reads other fields of them as well.
    """
    return (
        method == "eth_getLogs"
        and len(params) == 1
        and isinstance(params[0], dict)
        and params[0].keys() == {"blockHash", "topics"}
    )


@lru_cache(maxsize=8)
def _logs_decoder(are_logs: tuple[bool, ...]) -> msgspec.json.Decoder[Any]:
    kinds = tuple([LogsAnswer if one else Answer for one in are_logs])
    return msgspec.json.Decoder(kinds[0] if len(kinds) == 1 else tuple[kinds])  # type: ignore[valid-type]


def _containers(text: bytes | str) -> int:
    if isinstance(text, str):
        return text.count("[") + text.count("{")
    return text.count(b"[") + text.count(b"{")


def _answer(method: str, said: Answer) -> Json | ProviderError:
    if said.error is not None:
        return told_error(method, said.error)
    if said.result is msgspec.UNSET:
        return ProviderError(Trouble.BAD_SHAPE, f"{method}: neither a result nor an error")
    result: Json = said.result
    return result
