"""Routers through pairs: those of Uniswap V2 and its forks, and of Aerodrome and Velodrome."""

from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from typing import Final

from engine.chains.pending.calldata import UndecodableError, Why, Words
from engine.chains.pending.intents import NATIVE, Hop, Payer, Quoting, Swap
from engine.chains.pending.routers import (
    Caller,
    Decode,
    Decoded,
    by_selector,
    is_solidly,
    pair_hops,
    route,
)

_ROUTE_WORDS: Final = 4
"""Of a route of Aerodrome: from, to, whether it is stable, factory."""


def _exact_in(
    words: Words, call: Caller, *, sells_native: bool = False, quoting: Quoting = Quoting.AHEAD
) -> Decoded:
    """Decode `(amountIn,) amountOutMin, path, to, deadline`."""
    first = 0 if sells_native else 1
    hops = _hops(words, call, first + 1)
    if sells_native:
        _check_native(hops, call)
    swap = Swap(
        hops=hops,
        is_exact_in=True,
        amount_raw=call.value_raw if sells_native else words.uint(0),
        limit_raw=words.uint(first),
        payer=Payer.SENDER,
        recipient=words.address(first + 2),
        quoting=quoting,
    )
    return Decoded(steps=(swap,), deadline_s=words.uint(first + 3))


def _exact_out(words: Words, call: Caller, *, sells_native: bool = False) -> Decoded:
    """Decode `amountOut, (amountInMax,) path, to, deadline`."""
    first = 1 if sells_native else 2
    hops = _hops(words, call, first)
    if sells_native:
        _check_native(hops, call)
    swap = Swap(
        hops=hops,
        is_exact_in=False,
        amount_raw=words.uint(0),
        limit_raw=call.value_raw if sells_native else words.uint(1),
        payer=Payer.SENDER,
        recipient=words.address(first + 1),
        quoting=Quoting.AHEAD,
    )
    return Decoded(steps=(swap,), deadline_s=words.uint(first + 2))


def _hops(words: Words, call: Caller, index: int) -> tuple[Hop, ...]:
    deployer = call.router.pairs
    if deployer is None or not is_solidly(deployer):
        return pair_hops(deployer, words.addresses(index))
    routes, count = words.elements(index)
    legs = []
    for start in range(0, count * _ROUTE_WORDS, _ROUTE_WORDS):
        factory = routes.address(start + 3)
        if factory not in (NATIVE, deployer.address):
            raise UndecodableError(Why.UNKNOWN_CALL, f"pools of another factory, {factory}")
        is_stable = int(routes.flag(start + 2))
        legs.append((routes.address(start), routes.address(start + 1), is_stable))
    if any(leg[1] != after[0] for leg, after in pairwise(legs)):
        raise UndecodableError(Why.BAD_VALUE, "a route whose parts do not meet")
    return route(legs, deployer)


def _check_native(hops: tuple[Hop, ...], call: Caller) -> None:
    tokens = hops[0].tokens
    if tokens is None or tokens[0] != call.router.weth:
        raise UndecodableError(Why.BAD_VALUE, "native coins into a route from another token")


_STEPWISE: Final = partial(_exact_in, quoting=Quoting.STEPWISE)


def _functions(route_type: str) -> Mapping[str, Decode]:
    taxed = "SupportingFeeOnTransferTokens"
    after = f"{route_type},address,uint256"
    native_in = partial(_exact_in, sells_native=True)
    return {
        f"swapExactTokensForTokens(uint256,uint256,{after})": _exact_in,
        f"swapExactTokensForETH(uint256,uint256,{after})": _exact_in,
        f"swapExactETHForTokens(uint256,{after})": native_in,
        f"swapTokensForExactTokens(uint256,uint256,{after})": _exact_out,
        f"swapTokensForExactETH(uint256,uint256,{after})": _exact_out,
        f"swapETHForExactTokens(uint256,{after})": partial(_exact_out, sells_native=True),
        f"swapExactTokensForTokens{taxed}(uint256,uint256,{after})": _STEPWISE,
        f"swapExactTokensForETH{taxed}(uint256,uint256,{after})": _STEPWISE,
        f"swapExactETHForTokens{taxed}(uint256,{after})": partial(
            _exact_in, sells_native=True, quoting=Quoting.STEPWISE
        ),
    }


PAIR_FUNCTIONS: Final = by_selector(_functions("address[]"))
SOLIDLY_FUNCTIONS: Final = by_selector(_functions("(address,address,bool,address)[]"))
