"""Decoding: from a pending transaction to what it means to do. Pure, and bounded by a budget."""

from collections.abc import Mapping
from typing import Final

from engine.chains.pending.calldata import (
    CALLDATA_BYTES_MAX,
    Budget,
    UndecodableError,
    Why,
    Words,
)
from engine.chains.pending.intents import Intent, swaps_in
from engine.chains.pending.router_list import FUNCTIONS, Kind
from engine.chains.pending.routers import Caller, Router

_SELECTOR_BYTES: Final = 4


def decode(
    text: bytes, *, to: str, sender: str, value_raw: int, routers: Mapping[str, tuple[Router, Kind]]
) -> Intent | None:
    """Return what a transaction means to do; nothing if it calls no router.

    Args:
        text: its calldata.
        to: whom it calls, in lower case.
        sender: who signed it, in lower case.
        value_raw: native coins that go with it.
        routers: of its chain, by address.

    Raises:
        UndecodableError: it calls a router in a way that is not decoded, or swaps nothing.
    """
    found = routers.get(to)
    if found is None:
        return None
    router, kind = found
    if len(text) > CALLDATA_BYTES_MAX:
        raise UndecodableError(Why.TOO_MUCH, f"{len(text)} bytes of calldata")
    function = FUNCTIONS[kind].get(text[:_SELECTOR_BYTES])
    if function is None:
        selector = text[:_SELECTOR_BYTES].hex()
        raise UndecodableError(Why.UNKNOWN_CALL, f"function {selector} of {router.name}")
    caller = Caller(router=router, sender=sender, value_raw=value_raw)
    decoded = function(Words.of_call(text, Budget()), caller)
    if decoded.hidden is None and not swaps_in(decoded.steps):
        raise UndecodableError(Why.NO_SWAP, f"a call of {router.name} without a swap")
    return Intent(
        router=router.name,
        router_address=router.address,
        weth=router.weth,
        steps=decoded.steps,
        value_raw=value_raw,
        deadline_s=decoded.deadline_s,
        hidden=decoded.hidden,
    )
