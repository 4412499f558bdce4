"""What travels between roles: requests and replies of the engine and of the ledger, as msgpack."""

from typing import Any, Final, Generic, Protocol, TypeVar

import msgspec

from engine.bus.commands import EngineCommand, LedgerCommand
from engine.bus.records import Append, Appended, EngineState, LoadState, Superseded
from engine.bus.reports import Report

PROTOCOL_VERSION: Final = 1
"""Raised when a message changes in a way that an older role cannot read."""

FRAME_BYTES_MAX: Final = 64 * 1024 * 1024

LedgerRequest = Append | LoadState | LedgerCommand
LedgerReply = Appended | Superseded | EngineState | Report

Request = TypeVar("Request")
Reply = TypeVar("Reply")
Request_contra = TypeVar("Request_contra", contravariant=True)
Reply_co = TypeVar("Reply_co", covariant=True)


class Wire(Generic[Request, Reply]):
    """Encoder and decoders of one role's requests and replies."""

    def __init__(self, request_type: Any, reply_type: Any) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._requests: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(request_type)
        self._replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(reply_type)

    def encode(self, message: object) -> bytes:
        """Encode a request or a reply."""
        return self._encoder.encode(message)

    def decode_request(self, payload: bytes) -> Request:
        """Decode a request; raises msgspec.DecodeError."""
        return self._requests.decode(payload)

    def decode_reply(self, payload: bytes) -> Reply:
        """Decode a reply; raises msgspec.DecodeError."""
        return self._replies.decode(payload)


class Answerer(Protocol[Request_contra, Reply_co]):
    """A role's side of the wire."""

    async def answer(self, request: Request_contra) -> Reply_co:
        """Answer one request.

        Raises:
            TransientError: that is not possible now.
            BadValueError: this request is never possible.
            FatalError: the role has to end.
        """
        ...


class Caller(Protocol[Request_contra, Reply_co]):
    """A client's side of the wire."""

    async def call(self, request: Request_contra, *, timeout_s: float = 5.0) -> Reply_co:
        """Send a request and wait for its reply.

        Raises:
            TransientError: the role is away or did not answer in time.
            BadValueError: the role refused this request; asking again changes nothing.
        """
        ...


def engine_wire() -> Wire[EngineCommand, Report]:
    """Make the wire of the engine role."""
    return Wire(EngineCommand, Report)


def ledger_wire() -> Wire[LedgerRequest, LedgerReply]:
    """Make the wire of the ledger role."""
    return Wire(LedgerRequest, LedgerReply)
