"""Routers through pools with a fee in their path: Uniswap's SwapRouter and SwapRouter02, and kin.

Slipstream's takes the tick spacing where the others take the fee; PancakeSwap's smart router is a
SwapRouter02.
"""

from dataclasses import replace
from functools import partial
from typing import Final

from engine.chains.pending.calldata import DEPTH_MAX, UndecodableError, Why, Words
from engine.chains.pending.intents import Hop, Pay, Payer, Pull, Step, Swap, Unwrap, Wrap
from engine.chains.pending.routers import (
    Caller,
    Decode,
    Decoded,
    by_selector,
    packed_hops,
    pair_hops,
    route,
)

_FEE_BITS: Final = 24
_ROOT_BITS: Final = 160


def _single(words: Words, call: Caller, *, is_exact_in: bool, has_deadline: bool) -> Decoded:
    """Decode `tokenIn, tokenOut, fee, recipient, (deadline,) amount, limit, sqrtPriceLimitX96`."""
    if call.router.pools is None:
        raise UndecodableError(Why.UNKNOWN_CALL, "the router knows no pools with a fee")
    leg = (words.address(0), words.address(1), words.uint(2, _FEE_BITS))
    at = 5 if has_deadline else 4
    swap = _swap(
        call,
        hops=route([leg], call.router.pools),
        recipient=words.address(3),
        amounts=(words.uint(at), words.uint(at + 1)),
        is_exact_in=is_exact_in,
        is_first=has_deadline,
    )
    swap = replace(swap, sqrt_price_limit_x96=words.uint(at + 2, _ROOT_BITS))
    return Decoded(steps=(swap,), deadline_s=words.uint(4) if has_deadline else None)


def _path(words: Words, call: Caller, *, is_exact_in: bool, has_deadline: bool) -> Decoded:
    """Decode a tuple of `path, recipient, (deadline,) amount, limit`."""
    inner = words.inner(0)
    at = 3 if has_deadline else 2
    swap = _swap(
        call,
        hops=packed_hops(call.router.pools, inner.text(0), is_reversed=not is_exact_in),
        recipient=inner.address(1),
        amounts=(inner.uint(at), inner.uint(at + 1)),
        is_exact_in=is_exact_in,
        is_first=has_deadline,
    )
    return Decoded(steps=(swap,), deadline_s=inner.uint(2) if has_deadline else None)


def _pairs(words: Words, call: Caller, *, is_exact_in: bool) -> Decoded:
    """Decode SwapRouter02's `amount, limit, path, to` through pairs."""
    swap = _swap(
        call,
        hops=pair_hops(call.router.pairs, words.addresses(2)),
        recipient=words.address(3),
        amounts=(words.uint(0), words.uint(1)),
        is_exact_in=is_exact_in,
        is_first=False,
    )
    return Decoded(steps=(swap,))


def _swap(
    call: Caller,
    *,
    hops: tuple[Hop, ...],
    recipient: str,
    amounts: tuple[int, int],
    is_exact_in: bool,
    is_first: bool,
) -> Swap:
    """Make a swap as the first router means its arguments, or as the second one does."""
    amount_raw, limit_raw = amounts
    is_all = is_exact_in and amount_raw == 0 and not is_first
    return Swap(
        hops=hops,
        is_exact_in=is_exact_in,
        amount_raw=None if is_all else amount_raw,
        limit_raw=limit_raw,
        payer=Payer.ROUTER if is_all else Payer.SENDER,
        recipient=_recipient(recipient, call, is_first=is_first),
    )


def _recipient(recipient: str, call: Caller, *, is_first: bool) -> str:
    if is_first:
        return call.router.address if int(recipient, 16) == 0 else recipient
    return named(recipient, call)


def named(recipient: str, call: Caller) -> str:
    """Return who is meant where address 1 is the sender and address 2 the router."""
    match int(recipient, 16):
        case 1:
            return call.sender
        case 2:
            return call.router.address
    return recipient


def _multicall(words: Words, call: Caller, *, has_deadline: bool = False) -> Decoded:
    """Decode several calls in one; what SwapRouter02 ties to a block's hash is not decoded."""
    if call.depth >= DEPTH_MAX:
        raise UndecodableError(Why.TOO_MUCH, "calls within calls within calls")
    deadlines = [words.uint(0)] if has_deadline else []
    inner_call = replace(call, depth=call.depth + 1)
    steps: list[Step] = []
    for text in words.texts(int(has_deadline)):
        decode = SWAP_FUNCTIONS.get(text[:4])
        if decode is None:
            raise UndecodableError(Why.UNKNOWN_CALL, f"function {text[:4].hex()} in a multicall")
        decoded = decode(Words.of_call(text, words.budget), inner_call)
        steps.extend(decoded.steps)
        if decoded.deadline_s is not None:
            deadlines.append(decoded.deadline_s)
    return Decoded(steps=tuple(steps), deadline_s=min(deadlines, default=None))


def _unwrap(words: Words, call: Caller, *, has_recipient: bool = True) -> Decoded:
    recipient = words.address(1) if has_recipient else call.sender
    return Decoded(steps=(Unwrap(least_raw=words.uint(0), recipient=recipient),))


def _sweep(words: Words, call: Caller, *, has_recipient: bool = True) -> Decoded:
    token, least_raw = words.address(0), words.uint(1)
    recipient = words.address(2) if has_recipient else call.sender
    return Decoded(steps=(Pay(token=token, recipient=recipient, least_raw=least_raw),))


def _wrap(words: Words, call: Caller) -> Decoded:
    return Decoded(steps=(Wrap(amount_raw=words.uint(0), recipient=call.router.address),))


def _pull(words: Words, call: Caller) -> Decoded:
    pull = Pull(token=words.address(0), recipient=call.router.address, amount_raw=words.uint(1))
    return Decoded(steps=(pull,))


def _nothing(_words: Words, _call: Caller) -> Decoded:
    """Decode what moves no token that a later step sells: permits, and native coins given back."""
    return Decoded(steps=())


def _swaps() -> dict[str, Decode]:
    functions: dict[str, Decode] = {}
    for name, is_exact_in in (("exactInput", True), ("exactOutput", False)):
        single = partial(_single, is_exact_in=is_exact_in)
        path = partial(_path, is_exact_in=is_exact_in)
        amounts = "uint256,uint256"
        for number in ("uint24", "int24"):
            head = f"{name}Single((address,address,{number},address"
            functions[f"{head},uint256,{amounts},uint160))"] = partial(single, has_deadline=True)
        functions[f"{name}Single((address,address,uint24,address,{amounts},uint160))"] = partial(
            single, has_deadline=False
        )
        functions[f"{name}((bytes,address,uint256,{amounts}))"] = partial(path, has_deadline=True)
        functions[f"{name}((bytes,address,{amounts}))"] = partial(path, has_deadline=False)
    return functions


SWAP_FUNCTIONS: Final = by_selector(
    _swaps()
    | {
        "swapExactTokensForTokens(uint256,uint256,address[],address)": partial(
            _pairs, is_exact_in=True
        ),
        "swapTokensForExactTokens(uint256,uint256,address[],address)": partial(
            _pairs, is_exact_in=False
        ),
        "multicall(bytes[])": _multicall,
        "multicall(uint256,bytes[])": partial(_multicall, has_deadline=True),
        "unwrapWETH9(uint256,address)": _unwrap,
        "unwrapWETH9(uint256)": partial(_unwrap, has_recipient=False),
        "unwrapWETH9WithFee(uint256,address,uint256,address)": _unwrap,
        "sweepToken(address,uint256,address)": _sweep,
        "sweepToken(address,uint256)": partial(_sweep, has_recipient=False),
        "sweepTokenWithFee(address,uint256,address,uint256,address)": _sweep,
        "wrapETH(uint256)": _wrap,
        "pull(address,uint256)": _pull,
        "refundETH()": _nothing,
        "selfPermit(address,uint256,uint256,uint8,bytes32,bytes32)": _nothing,
        "selfPermitIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)": _nothing,
        "selfPermitAllowed(address,uint256,uint256,uint8,bytes32,bytes32)": _nothing,
        "selfPermitAllowedIfNecessary(address,uint256,uint256,uint8,bytes32,bytes32)": _nothing,
    }
)
"""Of both routers: their signatures are all different."""
