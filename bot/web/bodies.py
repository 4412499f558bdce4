"""Reading what a client sent: bounded, typed, and refused in a sentence."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from bot.web.problems import RefusedError
from bot.web.route import BODY_BYTES_MAX

BODY_S_MAX: Final = 10.0
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
"""What a database keeps as one number."""
Value = TypeVar("Value")
Fields = TypeVar("Fields", bound=msgspec.Struct)


async def read_body(request: web.Request, kind: type[Value]) -> Value:
    """Read a JSON body of a type.

    Raises:
        RefusedError: it is none (400), too large (413), of another content type (415), too slow
            (408), or not what the route takes (422).
    """
    if request.content_type != "application/json":
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body is {request.content_type}, it has to be application/json",
        )
    coding = request.headers.get("Content-Encoding", "identity").lower()
    if coding != "identity":
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a body is sent as it is, not compressed"
        )
    raw = await _read(request)
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error


def read_query(request: web.Request, kind: type[Fields]) -> Fields:
    """Read the query as the fields of a struct; numbers may stand as text.

    Raises:
        RefusedError: a field is unknown, stands twice, or is not what it has to be (422).
    """
    given: dict[str, Any] = {}
    known = {one.encode_name: one for one in msgspec.structs.fields(kind)}
    for name in request.query:
        if name not in known:
            raise _unfit(f"there is no parameter {name[:40]}; there are: {_names(known)}")
        values = request.query.getall(name)
        is_list = "tuple" in str(known[name].type) or "list" in str(known[name].type)
        if len(values) > 1 and not is_list:
            raise _unfit(f"{name} stands {len(values)} times, it may stand once")
        given[name] = values if is_list else values[0]
    try:
        read = msgspec.convert(given, kind, strict=False)
    except (msgspec.ValidationError, OverflowError) as error:
        raise _unfit(str(error)) from error
    for name, value in msgspec.structs.asdict(read).items():
        if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
            raise _unfit(f"{name} has more than 64 bits")
    return read


def _unfit(why: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, why)


def _names(known: Mapping[str, object]) -> str:
    return ", ".join(known) or "none"


async def _read(request: web.Request) -> bytes:
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise _too_large()
    try:
        async with asyncio.timeout(BODY_S_MAX):
            return await request.read()
    except TimeoutError:
        raise RefusedError(
            HTTPStatus.REQUEST_TIMEOUT, f"the body took longer than {BODY_S_MAX:.0f} s"
        ) from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large() from None


def _too_large() -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {BODY_BYTES_MAX:,} bytes"
    )
