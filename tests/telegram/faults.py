"""What can go wrong with one call to the Bot API."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """Ways in which a call fails."""

    TOO_MANY = auto()
    SERVER_ERROR = auto()
    HANG = auto()
    CUT = auto()
    LOST_REPLY = auto()
    GARBAGE = auto()
    UNAUTHORISED = auto()
    FORBIDDEN = auto()
    BAD_MARKUP = auto()
    CONFLICT = auto()


@dataclass(frozen=True)
class Fault:
    """One fault; `status` of a SERVER_ERROR, `retry_after_s` of a TOO_MANY."""

    kind: Kind
    retry_after_s: int = 1
    status: int = 502


class ApiError(Exception):
    """An answer with ``ok: false``."""

    def __init__(self, status: int, description: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.retry_after_s = retry_after_s


class CutError(Exception):
    """The connection ends without an answer."""


def bad_request(what: str) -> ApiError:
    """A 400 with Telegram's prefix."""
    return ApiError(400, f"Bad Request: {what}")


def too_many(retry_after_s: int) -> ApiError:
    """A 429."""
    return ApiError(
        429, f"Too Many Requests: retry after {retry_after_s}", retry_after_s=retry_after_s
    )


SCRIPTED_ANSWERS: dict[Kind, Callable[[Fault], ApiError]] = {
    Kind.TOO_MANY: lambda fault: too_many(fault.retry_after_s),
    Kind.SERVER_ERROR: lambda fault: ApiError(fault.status, "Bad Gateway"),
    Kind.UNAUTHORISED: lambda _: ApiError(401, "Unauthorized"),
    Kind.FORBIDDEN: lambda _: ApiError(403, "Forbidden: bot was blocked by the user"),
    Kind.BAD_MARKUP: lambda _: bad_request("can't parse entities: scripted"),
    Kind.CONFLICT: lambda _: ApiError(
        409, "Conflict: terminated by other getUpdates request; scripted"
    ),
}
