"""The texts of JSON-RPC: questions with their numbers, and answers that must carry the same."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from engine.chains.ports import Json
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


_decoder: Final = msgspec.json.Decoder(Answer | list[Answer])
_encoder: Final = msgspec.json.Encoder()


def encode(asked: Sequence[Asked], first_id: int) -> bytes:
    """Return the text that asks these things, numbered from `first_id`."""
    texts = [
        {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        for number, (method, params) in enumerate(asked, first_id)
    ]
    return _encoder.encode(texts[0] if len(texts) == 1 else texts)


def decode(text: bytes | str) -> Answer | list[Answer]:
    """Return what a text says.

    Raises:
        ProviderError: it is no JSON-RPC, or would take up too much memory.
    """
    if _containers(text) > CONTAINERS_MAX:
        raise ProviderError(Trouble.OVERSIZE, f"an answer of over {CONTAINERS_MAX} parts")
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
