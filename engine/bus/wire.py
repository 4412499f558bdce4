"""What travels between roles: requests and their replies, as msgpack."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, Union

import msgspec

from engine.bus.request import Reply, Request
from engine.domain.errors import TransientError

PROTOCOL_VERSION: Final = 2
"""Raised when a message changes in a way that an older role cannot read."""

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024

RequestDecoder = msgspec.msgpack.Decoder[Request[Any]]

_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(message: object) -> bytes:
    """Encode a request or a reply."""
    return _ENCODER.encode(message)


def make_decoder(requests: Sequence[type[Request[Any]]]) -> RequestDecoder:
    """Make what decodes the requests that a role answers; it raises msgspec.DecodeError."""
    return msgspec.msgpack.Decoder(Union[tuple(requests)])  # noqa: UP007 - known at run time only


def decode_reply(request: Request[Reply], payload: bytes, *, role: str) -> Reply:
    """Decode the reply to a request.

    Raises:
        TransientError: it is none; a role of another version gave it.
    """
    try:
        reply: Reply = _reply_decoder(type(request)).decode(payload)
    except msgspec.DecodeError as error:
        raise TransientError(
            f"the {role} answered {type(request).__name__} with what this version cannot read "
            f"({error}); restart all roles"
        ) from error
    return reply


@cache
def _reply_decoder(kind: type[Request[Any]]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind.reply_type())
