"""What travels between roles: requests and their replies, as msgpack."""

import logging
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import cache
from typing import Any, Final, Union

import msgspec

from engine.bus.request import Answerer, Reply, Request
from engine.domain.errors import BadValueError, FatalError, TransientError, UnstoredError

PROTOCOL_VERSION: Final = 2
"""Raised when a message changes in a way that an older role cannot read."""

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024

RequestDecoder = msgspec.msgpack.Decoder[Request[Any]]

log = logging.getLogger(__name__)


class Kind(IntEnum):
    """What a message is."""

    REQUEST = 0
    REPLY = 1
    TRANSIENT = 2
    BROKEN = 3
    REFUSED = 4
    UNSTORED = 5


_ENCODER: Final = msgspec.msgpack.Encoder()


def encode(message: object) -> bytes:
    """Encode a request or a reply.

    Raises:
        BadValueError: it is too large for any transport.
    """
    payload = _ENCODER.encode(message)
    if len(payload) > FRAME_BYTES_MAX:
        raise BadValueError(
            f"a {type(message).__name__} of {len(payload)} bytes; {FRAME_BYTES_MAX} are allowed"
        )
    return payload


def make_decoder(requests: Sequence[type[Request[Any]]]) -> RequestDecoder:
    """Make what decodes the requests that a role answers; it raises msgspec.DecodeError."""
    return msgspec.msgpack.Decoder(Union[tuple(requests)])  # noqa: UP007 - known at run time only


async def answered(
    decoder: RequestDecoder,
    answerer: Answerer,
    payload: bytes,
    on_fatal: Callable[[FatalError], None],
) -> tuple[Kind, bytes]:
    """Answer an encoded request; whatever fails is told to whoever asked."""
    try:
        return Kind.REPLY, encode(await answerer.answer(decoder.decode(payload)))
    except TransientError as error:
        kind = Kind.UNSTORED if isinstance(error, UnstoredError) else Kind.TRANSIENT
        return kind, str(error).encode()
    except BadValueError as error:
        return Kind.REFUSED, str(error).encode()
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        return Kind.REFUSED, f"unreadable request: {error}".encode()
    except FatalError as error:
        on_fatal(error)
        return Kind.BROKEN, str(error).encode()
    except Exception:  # a request's fault must not end the connection of all others
        log.exception("a request could not be answered")
        return Kind.BROKEN, b"an internal error; the log of this role has it"


def reply_of(request: Request[Reply], kind: int, payload: bytes, *, role: str) -> Reply:
    """Return what a role answered, or raise what it failed with; see `Caller.call`."""
    if kind == Kind.REPLY:
        return decode_reply(request, payload, role=role)
    if kind == Kind.REFUSED:
        raise BadValueError(payload.decode())
    if kind == Kind.UNSTORED:
        raise UnstoredError(payload.decode())
    raise TransientError(f"the {role} could not answer: {payload.decode()}")


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
