"""What is asked of a rollup about the price of bytes, and what its answers come to.

Each way gives what the bytes of a route's transaction cost, by its number of legs.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from engine.chains.gas.data_fee import Fork, L1Terms, data_fee_wei, unsigned_data_fee_wei
from engine.chains.gas.route_bytes import ROUTE_LEGS, route_calldata, signed_route, unsigned_route
from engine.chains.ports import Call, Json, NodeError, Refusal
from engine.chains.rpc.parsing import parse_bytes
from engine.domain.errors import BadValueError
from engine.domain.gas import DATA_RAW_MAX

L1_BLOCK: Final = "0x4200000000000000000000000000000000000015"
GAS_PRICE_ORACLE: Final = "0x420000000000000000000000000000000000000f"
NODE_INTERFACE: Final = "0x00000000000000000000000000000000000000c8"

_TERMS: Final = tuple(
    bytes.fromhex(selector)
    for selector in (
        "5cf24969",  # basefee()
        "f8206140",  # blobBaseFee()
        "c5985918",  # baseFeeScalar()
        "68d5dca6",  # blobBaseFeeScalar()
    )
)
_OPERATOR: Final = tuple(
    bytes.fromhex(selector)
    for selector in (
        "4d5d9a2a",  # operatorFeeScalar()
        "16d3bc7f",  # operatorFeeConstant()
    )
)
_GET_L1_FEE: Final = bytes.fromhex("49948e0e")  # getL1Fee(bytes)
_L1_COMPONENT: Final = bytes.fromhex("77d488a2")  # gasEstimateL1Component(address,bool,bytes)
_CHECKED_LEGS: Final = 2
_L1_GAS_MAX: Final = 1 << 40
_NOBODY: Final = 0xDEAD
_WORD_BYTES: Final = 32

Answer = Json | NodeError


def op_stack_calls(chain_id: int) -> list[Call]:
    """Return what is asked of an OP-stack chain."""
    unsigned = unsigned_route(chain_id, _CHECKED_LEGS)
    return [
        *(Call(L1_BLOCK, selector) for selector in (*_TERMS, *_OPERATOR)),
        Call(GAS_PRICE_ORACLE, _GET_L1_FEE + _words(_WORD_BYTES) + _tail(unsigned)),
    ]


def l1_terms(answers: Sequence[Answer], *, is_jovian: bool) -> L1Terms:
    """Read the terms of a chain.

    Raises:
        BadValueError: an answer cannot be true.
        NodeError: one was not given.
    """
    numbers = [_number(one) for one in answers[: len(_TERMS)]]
    operator = answers[len(_TERMS) : len(_TERMS) + len(_OPERATOR)]
    is_isthmus = not any(_is_refused(one) for one in operator)
    if is_jovian and not is_isthmus:
        raise BadValueError("a Jovian header, and no operator fee")
    scalar, constant = (_number(one) for one in operator) if is_isthmus else (0, 0)
    after = Fork.JOVIAN if is_jovian else Fork.ISTHMUS
    return L1Terms(
        fork=after if is_isthmus else Fork.FJORD,
        base_fee_wei=numbers[0],
        blob_base_fee_wei=numbers[1],
        base_fee_scalar=numbers[2],
        blob_base_fee_scalar=numbers[3],
        operator_scalar=scalar,
        operator_constant=constant,
    )


def op_stack_fees_wei(chain_id: int, terms: L1Terms, oracle: Answer) -> tuple[tuple[int, ...], str]:
    """Return what bytes cost by legs, and what is to be said of it.

    The chain's own contract is asked for one of them: where it takes more than the formula gives,
    a formula is in force that is not known here, and all are raised by as much.

    Raises:
        BadValueError: its answer cannot be true.
        NodeError: it gave none.
    """
    fees = [data_fee_wei(terms, signed_route(chain_id, legs)) for legs in ROUTE_LEGS]
    ours = unsigned_data_fee_wei(terms, unsigned_route(chain_id, _CHECKED_LEGS))
    theirs = _number(oracle)
    if theirs > DATA_RAW_MAX:
        raise BadValueError(f"an L1 fee of {theirs} wei cannot be")
    if theirs == ours:
        return tuple(fees), ""
    doubt = f"the chain asks {theirs} wei for bytes, the known formula gives {ours}"
    if theirs > ours:
        fees = [-(-fee * theirs // ours) if ours else theirs for fee in fees]
    return tuple(fees), doubt


def arbitrum_calls() -> list[Call]:
    """Return what is asked of Arbitrum: what it compresses a route's bytes to, it alone knows."""
    return [
        Call(
            NODE_INTERFACE,
            _L1_COMPONENT + _words(_NOBODY, 0, 3 * _WORD_BYTES) + _tail(route_calldata(legs)),
        )
        for legs in ROUTE_LEGS
    ]


def arbitrum_fees_wei(answers: Sequence[Answer]) -> tuple[int, ...]:
    """Return what bytes cost by legs: gas for L1, at the L2 base fee of that moment.

    Raises:
        BadValueError: an answer cannot be true.
        NodeError: one was not given.
    """
    fees = []
    for one in answers:
        gas, base_fee, _ = _numbers(one, "the L1 part of gas", count=3)
        if gas > _L1_GAS_MAX or gas * base_fee > DATA_RAW_MAX:
            raise BadValueError(f"{gas} gas for L1 at {base_fee} wei cannot be")
        fees.append(gas * base_fee)
    return tuple(fees)


def as_line(fees_wei: Sequence[int]) -> tuple[int, int]:
    """Return a fixed part and one for each leg that together are no fee's less, for 1 leg and on.

    Raises:
        BadValueError: more legs cost less.
    """
    if any(one > after for one, after in pairwise(fees_wei)):
        raise BadValueError(f"more bytes cost less: {fees_wei} wei")
    leg = -((fees_wei[0] - fees_wei[-1]) // (len(fees_wei) - 1))
    fixed = max(fee - leg * legs for legs, fee in enumerate(fees_wei, 1))
    return max(fixed, 0), leg


def _given(answer: Answer) -> Json:
    if isinstance(answer, NodeError):
        raise answer
    return answer


def _number(answer: Answer) -> int:
    return _numbers(answer, "an answer about the L1 fee", count=1)[0]


def _numbers(answer: Answer, what: str, *, count: int) -> list[int]:
    said = parse_bytes(_given(answer), what, length=_WORD_BYTES * count)
    return [int.from_bytes(said[at : at + _WORD_BYTES]) for at in range(0, len(said), _WORD_BYTES)]


def _is_refused(answer: Answer) -> bool:
    return isinstance(answer, NodeError) and answer.refusal is Refusal.REFUSED


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(_WORD_BYTES) for number in numbers)


def _tail(data: bytes) -> bytes:
    return _words(len(data)) + data + bytes(-len(data) % _WORD_BYTES)
