"""Actions of Uniswap V4's router, which a universal router carries out within one unlock."""

from collections.abc import Callable
from typing import Final

from engine.chains.pending.calldata import UndecodableError, Why, Words
from engine.chains.pending.intents import Group, Hop, Payer, Settle, Step, Swap, Take
from engine.chains.pending.pool_addresses import v4_id
from engine.chains.pending.routers import HOPS_MAX, Caller, HopLimits
from engine.chains.pending.swap_routers import named

ALL_HELD: Final = 1 << 255
"""All that the router holds, where an amount is asked for."""
_FEE_BITS: Final = 24
_AMOUNT_BITS: Final = 128


def unlock(words: Words, call: Caller) -> Group:
    """Decode `actions, params`.

    Raises:
        UndecodableError: they cannot be decoded.
    """
    actions = words.text(0)
    params, count = words.elements(1)
    if count != len(actions):
        raise UndecodableError(Why.BAD_VALUE, f"{len(actions)} actions and {count} parameters")
    steps = []
    for index, action in enumerate(actions):
        decode = _ACTIONS.get(action)
        if decode is None:
            raise UndecodableError(Why.UNKNOWN_CALL, f"action {action:#x} of V4")
        steps.append(decode(params.tuple_in(index), call))
    return Group(steps=tuple(steps), is_unlock=True)


def _single(words: Words, call: Caller, *, is_exact_in: bool) -> Swap:
    """Decode `poolKey, zeroForOne, amount, limit, (minHopPriceX36,) hookData`."""
    inner = words.inner(0)
    token0, token1 = inner.address(0), inner.address(1)
    pool = v4_id(token0, token1, inner.uint(2, _FEE_BITS), inner.int24(3), inner.address(4))
    is_zero_in = inner.flag(5)
    hop = Hop(
        pool=pool,
        token_in=0 if is_zero_in else 1,
        tokens=(token0, token1) if is_zero_in else (token1, token0),
    )
    return _swap(
        (hop,),
        amounts=(inner.uint(6, _AMOUNT_BITS), inner.uint(7, _AMOUNT_BITS)),
        is_exact_in=is_exact_in,
        has_hop_limits=call.router.hop_limits is HopLimits.ALL and inner.uint(8) != 0,
    )


def _path(words: Words, call: Caller, *, is_exact_in: bool) -> Swap:
    """Decode `currency, path, (minHopPriceX36[],) amount, limit`."""
    inner = words.inner(0)
    end = inner.address(0)
    keys, count = inner.elements(1)
    if not 0 < count <= HOPS_MAX:
        raise UndecodableError(Why.TOO_MUCH, f"a route through {count} pools")
    pools = [_key(keys.inner(index)) for index in range(count)]
    others = [pool[0] for pool in pools]
    ends = (
        zip([end, *others], others, pools, strict=False)
        if is_exact_in
        else zip(others, [*others[1:], end], pools, strict=True)
    )
    hops = tuple(_hop(sold, bought, pool) for sold, bought, pool in ends)
    at = 2
    has_hop_limits = False
    if call.router.hop_limits is not HopLimits.NONE:
        at = 3
        has_hop_limits = any(inner.uints(2))
    return _swap(
        hops,
        amounts=(inner.uint(at, _AMOUNT_BITS), inner.uint(at + 1, _AMOUNT_BITS)),
        is_exact_in=is_exact_in,
        has_hop_limits=has_hop_limits,
    )


def _key(words: Words) -> tuple[str, int, int, str]:
    """Decode the other token of a pool, its fee, tick spacing and hooks."""
    return words.address(0), words.uint(1, _FEE_BITS), words.int24(2), words.address(3)


def _hop(sold: str, bought: str, pool: tuple[str, int, int, str]) -> Hop:
    if sold == bought:
        raise UndecodableError(Why.BAD_VALUE, f"{sold} for itself")
    token0, token1 = sorted((sold, bought))
    address = v4_id(token0, token1, *pool[1:])
    return Hop(pool=address, token_in=int(sold == token1), tokens=(sold, bought))


def _swap(
    hops: tuple[Hop, ...], *, amounts: tuple[int, int], is_exact_in: bool, has_hop_limits: bool
) -> Swap:
    return Swap(
        hops=hops,
        is_exact_in=is_exact_in,
        amount_raw=amounts[0] or None,
        limit_raw=amounts[1],
        payer=Payer.MANAGER,
        recipient="",
        has_hop_limits=has_hop_limits,
    )


def _settle(words: Words, _call: Caller) -> Settle:
    amount_raw = words.uint(1)
    is_all_held = amount_raw == ALL_HELD
    return Settle(
        token=words.address(0),
        amount_raw=None if is_all_held else amount_raw or None,
        is_all_held=is_all_held,
        is_sender=words.flag(2),
    )


def _settle_all(words: Words, _call: Caller) -> Settle:
    return Settle(
        token=words.address(0),
        amount_raw=None,
        is_all_held=False,
        is_sender=True,
        most_raw=words.uint(1),
    )


def _take(words: Words, call: Caller) -> Take:
    recipient = named(words.address(1), call)
    return Take(token=words.address(0), recipient=recipient, amount_raw=words.uint(2) or None)


def _take_all(words: Words, call: Caller) -> Take:
    return Take(
        token=words.address(0), recipient=call.sender, amount_raw=None, least_raw=words.uint(1)
    )


def _take_portion(words: Words, call: Caller) -> Take:
    recipient = named(words.address(1), call)
    return Take(
        token=words.address(0), recipient=recipient, amount_raw=None, share_bps=words.uint(2)
    )


_ACTIONS: Final[dict[int, Callable[[Words, Caller], Step]]] = {
    0x06: lambda words, call: _single(words, call, is_exact_in=True),
    0x07: lambda words, call: _path(words, call, is_exact_in=True),
    0x08: lambda words, call: _single(words, call, is_exact_in=False),
    0x09: lambda words, call: _path(words, call, is_exact_in=False),
    0x0B: _settle,
    0x0C: _settle_all,
    0x0E: _take,
    0x0F: _take_all,
    0x10: _take_portion,
}
