"""Aggregators: routes that their calldata tells, and trades whose route only their contracts read.

Told: 1inch's unoswap of versions 5 and 6 and its uniswapV3Swap, 0x's sellToUniswap and its swaps
through Uniswap V3. Hidden, so that only tokens and amounts are known: 1inch's swap, 0x's
transformERC20, ParaSwap (Augustus 6), KyberSwap and OpenOcean.
"""

from functools import partial
from typing import Final

from engine.chains.pending.calldata import UndecodableError, Why, Words, address_text
from engine.chains.pending.intents import NATIVE, HiddenRoute, Hop, Payer, Swap
from engine.chains.pending.routers import (
    HOPS_MAX,
    Caller,
    Decoded,
    by_selector,
    packed_hops,
    pair_hops,
)

NATIVE_BY_NAME: Final = "0x" + "e" * 40
"""A chain's own coin as aggregators write it."""

_ADDRESS_MASK: Final = (1 << 160) - 1
_KEPT_AT: Final = 160
_KEPT_MASK: Final = 0xFFFFFFFF
_KEPT_OF_UNISWAP: Final = 997_000_000
_IS_REVERSED: Final = 1 << 255
_IS_ZERO_IN: Final = 1 << 247
_PROTOCOL_AT: Final = 253


def _sold_hops(
    hops: list[Hop], words: Words, recipient: str, *, amount_raw: int, limit_at: int
) -> Decoded:
    if not 0 < len(hops) <= HOPS_MAX:
        raise UndecodableError(Why.TOO_MUCH, f"a route through {len(hops)} pools")
    swap = Swap(
        hops=tuple(hops),
        is_exact_in=True,
        amount_raw=amount_raw,
        limit_raw=words.uint(limit_at),
        payer=Payer.SENDER,
        recipient=recipient,
    )
    return Decoded(steps=(swap,))


def _recipient(words: Words, call: Caller, first: int) -> str:
    """Return who a function sends to: the caller, or who stands first among its arguments."""
    return address_text(words.uint(0) & _ADDRESS_MASK) if first else call.sender


def _unoswap_5(words: Words, call: Caller, *, first: int) -> Decoded:
    """Decode version 5's `(recipient,) srcToken, amount, minReturn, pools` through pairs."""
    hops = [
        Hop(
            pool=address_text(pool & _ADDRESS_MASK),
            token_in=int(bool(pool & _IS_REVERSED)),
            kept_e9=pool >> _KEPT_AT & _KEPT_MASK,
        )
        for pool in words.uints(first + 3)
    ]
    to = _recipient(words, call, first)
    return _sold_hops(hops, words, to, amount_raw=words.uint(first + 1), limit_at=first + 2)


def _v3_swap_5(words: Words, call: Caller, *, first: int) -> Decoded:
    """Decode version 5's `(recipient,) amount, minReturn, pools` through Uniswap V3."""
    hops = [
        Hop(pool=address_text(pool & _ADDRESS_MASK), token_in=int(bool(pool & _IS_REVERSED)))
        for pool in words.uints(first + 2)
    ]
    to = _recipient(words, call, first)
    return _sold_hops(hops, words, to, amount_raw=words.uint(first), limit_at=first + 1)


def _unoswap_6(
    words: Words, call: Caller, *, first: int, count: int, sells_native: bool
) -> Decoded:
    """Decode version 6's `(to,) (token, amount,) minReturn, dex...`, at most three of these."""
    limit_at = first if sells_native else first + 2
    amount_raw = call.value_raw if sells_native else words.uint(first + 1)
    hops = [_dex_6(words.uint(limit_at + 1 + index)) for index in range(count)]
    to = _recipient(words, call, first)
    return _sold_hops(hops, words, to, amount_raw=amount_raw, limit_at=limit_at)


def _dex_6(dex: int) -> Hop:
    pool, token_in = address_text(dex & _ADDRESS_MASK), int(not dex & _IS_ZERO_IN)
    match dex >> _PROTOCOL_AT:
        case 0:
            kept_e9 = dex >> _KEPT_AT & _KEPT_MASK or _KEPT_OF_UNISWAP
            return Hop(pool=pool, token_in=token_in, kept_e9=kept_e9)
        case 1:
            return Hop(pool=pool, token_in=token_in)
    raise UndecodableError(Why.UNKNOWN_CALL, "unoswap through Curve")


def _sell_to_uniswap(words: Words, call: Caller) -> Decoded:
    """Decode 0x's `tokens, sellAmount, minBuyAmount, isSushi`."""
    tokens = [
        call.router.weth if token == NATIVE_BY_NAME else token for token in words.addresses(0)
    ]
    deployer = call.router.other_pairs if words.flag(3) else call.router.pairs
    swap = Swap(
        hops=pair_hops(deployer, tokens),
        is_exact_in=True,
        amount_raw=words.uint(1),
        limit_raw=words.uint(2),
        payer=Payer.SENDER,
        recipient=call.sender,
    )
    return Decoded(steps=(swap,))


def _sell_to_v3(words: Words, call: Caller, *, sells_native: bool) -> Decoded:
    """Decode 0x's `path, (sellAmount,) minBuyAmount, recipient`."""
    hops = list(packed_hops(call.router.pools, words.text(0)))
    amount_raw = call.value_raw if sells_native else words.uint(1)
    limit_at = 1 if sells_native else 2
    to = words.address(limit_at + 1)
    recipient = call.sender if to == NATIVE else to
    return _sold_hops(hops, words, recipient, amount_raw=amount_raw, limit_at=limit_at)


def _hidden(words: Words, call: Caller, *, places: tuple[int, int, int, int]) -> Decoded:
    token_in, token_out, amount, least = places
    hidden = HiddenRoute(
        token_in=_plain(words.address(token_in), call),
        token_out=_plain(words.address(token_out), call),
        amount_in_raw=words.uint(amount),
        least_out_raw=words.uint(least),
    )
    if hidden.token_in == hidden.token_out:
        raise UndecodableError(Why.NO_SWAP, f"{hidden.token_in} for itself")
    return Decoded(steps=(), hidden=hidden)


def _plain(token: str, call: Caller) -> str:
    """Return the wrapped coin for a chain's own."""
    return call.router.weth if token in (NATIVE, NATIVE_BY_NAME) else token


def _kyber(words: Words, call: Caller, *, is_simple: bool) -> Decoded:
    described = words.inner(1) if is_simple else words.inner(0).inner(3)
    return _hidden(described, call, places=(0, 1, 7, 8))


def _functions_of_6() -> dict[str, partial[Decoded]]:
    functions = {}
    for count in (1, 2, 3):
        number = "" if count == 1 else str(count)
        dexes = ",".join(["uint256"] * count)
        for to, first in (("", 0), ("To", 1)):
            head = "uint256," * first
            functions[f"unoswap{to}{number}({head}uint256,uint256,uint256,{dexes})"] = partial(
                _unoswap_6, first=first, count=count, sells_native=False
            )
            functions[f"ethUnoswap{to}{number}({head}uint256,{dexes})"] = partial(
                _unoswap_6, first=first, count=count, sells_native=True
            )
    return functions


_DESCRIBED: Final = "(address,address,address,address,uint256,uint256,uint256)"

ONE_INCH_FUNCTIONS: Final = by_selector(
    _functions_of_6()
    | {
        "unoswap(address,uint256,uint256,uint256[])": partial(_unoswap_5, first=0),
        "unoswapTo(address,address,uint256,uint256,uint256[])": partial(_unoswap_5, first=1),
        "uniswapV3Swap(uint256,uint256,uint256[])": partial(_v3_swap_5, first=0),
        "uniswapV3SwapTo(address,uint256,uint256,uint256[])": partial(_v3_swap_5, first=1),
        # executor, then the described trade in place, a word each
        f"swap(address,{_DESCRIBED},bytes)": partial(_hidden, places=(1, 2, 5, 6)),
        f"swap(address,{_DESCRIBED},bytes,bytes)": partial(_hidden, places=(1, 2, 5, 6)),
    }
)

ZERO_X_FUNCTIONS: Final = by_selector(
    {
        "sellToUniswap(address[],uint256,uint256,bool)": _sell_to_uniswap,
        "sellTokenForTokenToUniswapV3(bytes,uint256,uint256,address)": partial(
            _sell_to_v3, sells_native=False
        ),
        "sellTokenForEthToUniswapV3(bytes,uint256,uint256,address)": partial(
            _sell_to_v3, sells_native=False
        ),
        "sellEthForTokenToUniswapV3(bytes,uint256,address)": partial(
            _sell_to_v3, sells_native=True
        ),
        "transformERC20(address,address,uint256,uint256,(uint32,bytes)[])": partial(
            _hidden, places=(0, 1, 2, 3)
        ),
    }
)

_PARASWAP: Final = "(address,address,uint256,uint256,uint256,bytes32,address"

PARASWAP_FUNCTIONS: Final = by_selector(
    {
        f"swapExactAmountIn(address,{_PARASWAP}),uint256,bytes,bytes)": partial(
            _hidden, places=(1, 2, 3, 4)
        ),
        f"swapExactAmountInOnUniswapV2({_PARASWAP},bytes),uint256,bytes)": lambda words, call: (
            _hidden(words.inner(0), call, places=(0, 1, 2, 3))
        ),
        f"swapExactAmountInOnUniswapV3({_PARASWAP},bytes),uint256,bytes)": lambda words, call: (
            _hidden(words.inner(0), call, places=(0, 1, 2, 3))
        ),
    }
)

_KYBER: Final = (
    "(address,address,address[],uint256[],address[],uint256[],address,"
    "uint256,uint256,uint256,bytes)"
)

KYBER_FUNCTIONS: Final = by_selector(
    {
        f"swap((address,address,bytes,{_KYBER},bytes))": partial(_kyber, is_simple=False),
        f"swapSimpleMode(address,{_KYBER},bytes,bytes)": partial(_kyber, is_simple=True),
    }
)

_OPEN_OCEAN: Final = (
    "(address,address,address,address,uint256,uint256,uint256,uint256,address,bytes)"
)

OPEN_OCEAN_FUNCTIONS: Final = by_selector(
    {
        f"swap(address,{_OPEN_OCEAN},(uint256,uint256,uint256,bytes)[])": lambda words, call: (
            _hidden(words.inner(1), call, places=(0, 1, 4, 5))
        ),
    }
)
