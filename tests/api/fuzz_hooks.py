"""Loaded by schemathesis: each request comes from another address, with one of many keys.

Without that, nearly all answers would be that somebody asks too often.
"""

import itertools
import os
from typing import Any

import schemathesis

_KEYS = itertools.cycle(os.environ["SYNDICATE_FUZZ_KEYS"].split(","))
_NUMBERS = itertools.count(1)


@schemathesis.auth(refresh_interval=None)  # for each request anew
class Keys:
    """Show one of the keys."""

    def get(self, case: Any, context: Any) -> str:
        """Return the next key."""
        del case, context
        return next(_KEYS)

    def set(self, case: Any, data: str, context: Any) -> None:
        """Show it."""
        del context
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}


@schemathesis.hook  # type: ignore[untyped-decorator]
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Come from an address of one's own."""
    del context, kwargs
    number = next(_NUMBERS)
    address = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    case.headers = {**(case.headers or {}), "X-Forwarded-For": address}
