"""Uniswap's universal router: a string of commands, each with its input."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from engine.chains.pending.calldata import DEPTH_MAX, UndecodableError, Why, Words
from engine.chains.pending.intents import (
    NATIVE,
    Group,
    Pay,
    Payer,
    Pull,
    Step,
    Swap,
    Unwrap,
    Wrap,
)
from engine.chains.pending.routers import (
    Caller,
    Decoded,
    HopLimits,
    by_selector,
    packed_hops,
    pair_hops,
)
from engine.chains.pending.swap_routers import named
from engine.chains.pending.v4_actions import ALL_HELD, unlock

_MAY_FAIL: Final = 0x80
_KIND: Final = 0x7F
_SUB_PLAN: Final = 0x21
_PULL_WORDS: Final = 4
_PULL_BITS: Final = 160


def _execute(words: Words, call: Caller, *, has_deadline: bool) -> Decoded:
    """Decode `commands, inputs, (deadline)`."""
    steps = _commands(words, call)
    return Decoded(steps=steps, deadline_s=words.uint(2) if has_deadline else None)


def _commands(words: Words, call: Caller) -> tuple[Step, ...]:
    if call.depth >= DEPTH_MAX:
        raise UndecodableError(Why.TOO_MUCH, "plans within plans within plans")
    commands = words.text(0)
    inputs, count = words.elements(1)
    if count != len(commands):
        raise UndecodableError(Why.BAD_VALUE, f"{len(commands)} commands and {count} inputs")
    steps: list[Step] = []
    for index, command in enumerate(commands):
        text = inputs.tuple_in(index)
        kind = command & _KIND
        if kind == _SUB_PLAN:
            inner = _commands(text, replace(call, depth=call.depth + 1))
            steps.append(Group(steps=inner, may_fail=bool(command & _MAY_FAIL)))
            continue
        decode = _COMMANDS.get(kind)
        if decode is None:
            raise UndecodableError(Why.UNKNOWN_CALL, f"command {kind:#x} of a universal router")
        steps.extend(decode(text, call))
    return tuple(steps)


def _packed(words: Words, call: Caller, *, is_exact_in: bool) -> list[Step]:
    """Decode `recipient, amount, limit, path, payerIsUser` through pools with fees."""
    hops = packed_hops(call.router.pools, words.text(3), is_reversed=not is_exact_in)
    amount_raw = words.uint(1)
    swap = Swap(
        hops=hops,
        is_exact_in=is_exact_in,
        amount_raw=None if is_exact_in and amount_raw == ALL_HELD else amount_raw,
        limit_raw=words.uint(2),
        payer=Payer.SENDER if words.flag(4) else Payer.ROUTER,
        recipient=named(words.address(0), call),
        has_hop_limits=_has_hop_limits(words, call),
    )
    return [swap]


def _pairs(words: Words, call: Caller, *, is_exact_in: bool) -> list[Step]:
    """Decode the same through pairs; an input of 0 is one that the first pair has already."""
    hops = pair_hops(call.router.pairs, words.addresses(3))
    amount_raw: int | None = words.uint(1)
    payer = Payer.SENDER if words.flag(4) else Payer.ROUTER
    if is_exact_in and amount_raw == 0:
        amount_raw, payer = None, Payer.POOL
    elif is_exact_in and amount_raw == ALL_HELD and payer is Payer.ROUTER:
        amount_raw = None
    swap = Swap(
        hops=hops,
        is_exact_in=is_exact_in,
        amount_raw=amount_raw,
        limit_raw=words.uint(2),
        payer=payer,
        recipient=named(words.address(0), call),
        has_hop_limits=_has_hop_limits(words, call),
    )
    return [swap]


def _has_hop_limits(words: Words, call: Caller) -> bool:
    return call.router.hop_limits is HopLimits.ALL and any(words.uints(5))


def _pull(words: Words, call: Caller) -> list[Step]:
    recipient = named(words.address(1), call)
    amount_raw = words.uint(2, _PULL_BITS)
    return [Pull(token=words.address(0), recipient=recipient, amount_raw=amount_raw)]


def _pulls(words: Words, call: Caller) -> list[Step]:
    """Decode an array of `from, to, amount, token`; Permit2 lets nobody else's tokens be pulled."""
    array, count = words.elements(0)
    steps: list[Step] = []
    for start in range(0, count * _PULL_WORDS, _PULL_WORDS):
        if array.address(start) != call.sender:
            raise UndecodableError(Why.BAD_VALUE, "tokens pulled from another than the sender")
        pull = Pull(
            token=array.address(start + 3),
            recipient=array.address(start + 1),
            amount_raw=array.uint(start + 2, _PULL_BITS),
        )
        steps.append(pull)
    return steps


def _sweep(words: Words, call: Caller) -> list[Step]:
    recipient = named(words.address(1), call)
    return [Pay(token=words.address(0), recipient=recipient, least_raw=words.uint(2))]


def _transfer(words: Words, call: Caller) -> list[Step]:
    token, amount_raw = words.address(0), words.uint(2)
    is_all = amount_raw == ALL_HELD and token != NATIVE
    return [
        Pay(
            token=token,
            recipient=named(words.address(1), call),
            amount_raw=None if is_all else amount_raw,
        )
    ]


def _portion(words: Words, call: Caller) -> list[Step]:
    recipient = named(words.address(1), call)
    return [Pay(token=words.address(0), recipient=recipient, share_bps=words.uint(2))]


def _wrap(words: Words, call: Caller) -> list[Step]:
    amount_raw = words.uint(1)
    recipient = named(words.address(0), call)
    return [Wrap(amount_raw=None if amount_raw == ALL_HELD else amount_raw, recipient=recipient)]


def _unwrap(words: Words, call: Caller) -> list[Step]:
    return [Unwrap(least_raw=words.uint(1), recipient=named(words.address(0), call))]


def _permit(_words: Words, _call: Caller) -> list[Step]:
    """Decode a permit: it moves nothing, and is taken to hold."""
    return []


_COMMANDS: Final[dict[int, Callable[[Words, Caller], list[Step]]]] = {
    0x00: partial(_packed, is_exact_in=True),
    0x01: partial(_packed, is_exact_in=False),
    0x02: _pull,
    0x03: _permit,
    0x04: _sweep,
    0x05: _transfer,
    0x06: _portion,
    0x08: partial(_pairs, is_exact_in=True),
    0x09: partial(_pairs, is_exact_in=False),
    0x0A: _permit,
    0x0B: _wrap,
    0x0C: _unwrap,
    0x0D: _pulls,
    0x10: lambda words, call: [unlock(words, call)],
}

UNIVERSAL_FUNCTIONS: Final = by_selector(
    {
        "execute(bytes,bytes[])": partial(_execute, has_deadline=False),
        "execute(bytes,bytes[],uint256)": partial(_execute, has_deadline=True),
    }
)
