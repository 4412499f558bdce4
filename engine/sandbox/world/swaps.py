"""How an exact amount is swapped at each kind of pool: what is sent to which router."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engine.domain.pools import Protocol
from engine.sandbox.world.abi import ZERO
from engine.sandbox.world.dexes.uniswap_v4 import KEY, actions
from engine.sandbox.world.site import FOR_EVER
from engine.sandbox.world.values import WorldPool

_V4_SWAP: Final = b"\x10"
_SWAP_EXACT_IN_SINGLE, _SETTLE_ALL, _TAKE_ALL = 0x06, 0x0C, 0x0F
_GIVEN_IN: Final = 0


class Order(NamedTuple):
    """A swap as somebody wants it: the pool's tokens, by address."""

    pool: WorldPool
    token_in: str
    token_out: str
    amount_raw: int
    out_min_raw: int
    account: str


class Sent(NamedTuple):
    """What is sent to a pool's router."""

    signature: str
    arguments: tuple[Any, ...]
    value: int = 0


def swap_of(order: Order) -> Sent:
    """Return what is sent for a swap."""
    return _BY_PROTOCOL[order.pool.protocol](order)


def _pair(order: Order) -> Sent:
    return Sent(
        "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
        (
            order.amount_raw,
            order.out_min_raw,
            [order.token_in, order.token_out],
            order.account,
            FOR_EVER,
        ),
    )


def _v3(order: Order) -> Sent:
    return Sent(
        "exactInputSingle((address,address,uint24,address,uint256,uint256,uint256,uint160))",
        (
            (
                *(order.token_in, order.token_out, order.pool.fee_pips),
                *(order.account, FOR_EVER, order.amount_raw, order.out_min_raw, 0),
            ),
        ),
    )


def _v4(order: Order) -> Sent:
    pool = order.pool
    key = (*pool.tokens, pool.fee_pips, pool.tick_spacing, ZERO)
    swap = (key, order.token_in == pool.tokens[0], order.amount_raw, order.out_min_raw, b"")
    acts = actions(
        (_SWAP_EXACT_IN_SINGLE, f"(({KEY},bool,uint128,uint128,bytes))", (swap,)),
        (_SETTLE_ALL, "(address,uint256)", (order.token_in, order.amount_raw)),
        (_TAKE_ALL, "(address,uint256)", (order.token_out, order.out_min_raw)),
    )
    return Sent(
        "execute(bytes,bytes[],uint256)",
        (_V4_SWAP, [acts], FOR_EVER),
        order.amount_raw if order.token_in == ZERO else 0,
    )


def _balancer(order: Order) -> Sent:
    return Sent(
        "swap((bytes32,uint8,address,address,uint256,bytes),(address,bool,address,bool),uint256,"
        "uint256)",
        (
            (
                *(bytes.fromhex(order.pool.balancer_id[2:]), _GIVEN_IN),
                *(order.token_in, order.token_out, order.amount_raw, b""),
            ),
            (order.account, False, order.account, False),
            order.out_min_raw,
            FOR_EVER,
        ),
    )


_BY_PROTOCOL: Final[Mapping[Protocol, Callable[[Order], Sent]]] = {
    Protocol.UNISWAP_V2: _pair,
    Protocol.UNISWAP_V3: _v3,
    Protocol.UNISWAP_V4: _v4,
    Protocol.BALANCER_WEIGHTED: _balancer,
    Protocol.BALANCER_STABLE: _balancer,
}
