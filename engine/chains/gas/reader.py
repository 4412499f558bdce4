"""Reads what gas costs on a chain: one block's header, what blocks before it were paid, and bytes.

Everything is of one block, named by its hash, but the price of bytes, which stands for as long as a
block of L1; what cannot be true is no price, and the last one ages on.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.chains.gas.base_fee import (
    BASE_FEE_MAX_WEI,
    GAS_MAX,
    LIMIT_MAX,
    BaseFee,
    FeeHeader,
    header_terms,
    is_possible,
    next_base_fee_wei,
)
from engine.chains.gas.data_fee import L1Terms, operator_fee_wei
from engine.chains.gas.data_fee_calls import (
    Answer,
    arbitrum_calls,
    arbitrum_fees_wei,
    as_line,
    l1_terms,
    op_stack_calls,
    op_stack_fees_wei,
)
from engine.chains.gas.fee_history import (
    BLOCKS,
    FACTOR_MAX,
    FeeHistory,
    read_fee_history,
    tip_forecast_wei,
)
from engine.chains.gas.rules import GasRule
from engine.chains.ports import Call, Json, Node, NodeError, Refusal
from engine.chains.rpc.parsing import (
    BLOCK_NUMBER_MAX,
    SECOND_MAX,
    parse_bytes,
    parse_hash,
    parse_quantity,
)
from engine.domain.block_facts import TIP_PERCENTILES
from engine.domain.chains import ChainFacts, GasModel
from engine.domain.errors import BadValueError
from engine.domain.gas import GasPrice, Tips
from engine.domain.units import GWEI_DECIMALS

L1_SLOT_S: Final = 12
BEHIND_MAX: Final = 2
"""How many blocks may come between two questions of one batch."""

_OPERATOR_GAS: Final = 10**6
"""Gas over which the operator's part of a unit is worked out: then it is whole."""


class GasSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What gas costs as of a block.

    Attributes:
        base_fee_wei, tip_wei: of the block that comes next.
        doubt: what is odd about it; empty if nothing is.
        paid: what the newest blocks were; None where no tips are taken.
        l1: what a rollup of the OP stack reckons its bytes by; None elsewhere.
    """

    block: int
    base_fee_wei: int
    tip_wei: int
    price: GasPrice
    doubt: str = ""
    paid: FeeHistory | None = None
    l1: L1Terms | None = None


_DataFees = tuple[tuple[int, ...], L1Terms | None, str]
"""By legs, in wei; the terms they rest on; what is odd about them."""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    hash: str
    made_at_s: int
    fees: FeeHeader


class GasReader:
    """Reads one chain."""

    def __init__(self, facts: ChainFacts, rule: GasRule, node: Node) -> None:
        self._facts = facts
        self._rule = rule
        self._node = node
        self._slot: tuple[int, int] | None = None
        self._data_fees: _DataFees = ((), None, "")

    @property
    def model(self) -> GasModel:
        """What a transaction pays for here."""
        return self._facts.gas_model

    async def read(self) -> GasSeen:
        """Return what gas costs now.

        Raises:
            NodeError: there is no answer that may be used.
        """
        try:
            return await self._read()
        except BadValueError as error:
            raise NodeError(Refusal.LIED, str(error)) from error

    async def _read(self) -> GasSeen:
        asked: list[tuple[str, Sequence[Json]]] = [("eth_getBlockByNumber", ("latest", False))]
        if self._rule.takes_tips:
            asked.append(("eth_feeHistory", (hex(BLOCKS), "latest", [*TIP_PERCENTILES])))
        answers = await self._node.batch(asked)
        if len(answers) != len(asked):
            raise BadValueError(f"{len(answers)} answers to {len(asked)} questions")
        head = _head(_given(answers[0]))
        history = read_fee_history(_given(answers[1])) if self._rule.takes_tips else None
        base_fee_wei = self._base_fee_wei(head.fees, history)
        least_wei = max(self._rule.tip_wei_min, self._rule.price_wei_min - base_fee_wei)
        tip_wei = self._tip_wei(base_fee_wei, history)
        data_fees_wei, terms, doubt = await self._data_fees_of_slot(head)
        fixed, leg = as_line(data_fees_wei) if data_fees_wei else (0, 0)
        operator_wei = Decimal(0)
        if terms is not None:
            constant = operator_fee_wei(terms, 0)
            fixed += constant
            operator_wei = (
                Decimal(operator_fee_wei(terms, _OPERATOR_GAS) - constant) / _OPERATOR_GAS
            )
        now_wei = max(head.fees.base_fee_wei + tip_wei, self._rule.price_wei_min)
        return GasSeen(
            block=head.fees.number,
            base_fee_wei=base_fee_wei,
            tip_wei=tip_wei,
            price=GasPrice(
                gwei=_gwei(base_fee_wei + tip_wei + operator_wei),
                now_gwei=_gwei(now_wei + operator_wei),
                data_fixed_raw=fixed,
                data_leg_raw=leg,
                tips=_tips(tip_wei, history, least_wei=least_wei),
            ),
            doubt=doubt,
            paid=history,
            l1=terms,
        )

    def _base_fee_wei(self, head: FeeHeader, history: FeeHistory | None) -> int:
        rule = self._rule.base_fee
        worked_out = next_base_fee_wei(head, rule)
        if history is None:
            return worked_out
        # A node that began from a saved state (anvil) leaves out older blocks, and counts them.
        ends = (history.newest, history.newest - len(history.blocks) + BLOCKS)
        if all(abs(end - head.number) > BEHIND_MAX for end in ends):
            raise BadValueError(f"the fee history ends at {history.newest}, not {head.number}")
        if history.newest != head.number:
            return worked_out
        if not is_possible(history.next_base_fee_wei, head, rule):
            raise BadValueError(
                f"a base fee of {history.next_base_fee_wei} wei after block {head.number},"
                f" whose header makes it {worked_out}"
            )
        is_chosen = rule.base_fee in {BaseFee.BOUNDED, BaseFee.TOLD}
        return history.next_base_fee_wei if is_chosen else worked_out

    def _tip_wei(self, base_fee_wei: int, history: FeeHistory | None) -> int:
        if history is None:
            return max(self._rule.price_wei_min - base_fee_wei, 0)
        paid = [block.tip_wei for block in history.blocks if block.used_ratio > 0.0]
        least = max(self._rule.tip_wei_min, self._rule.price_wei_min - base_fee_wei)
        return tip_forecast_wei(paid, least_wei=least)

    async def _data_fees_of_slot(self, head: _Head) -> _DataFees:
        """Return what bytes cost; they have another price with a block of L1, no sooner."""
        if self._facts.gas_model not in {GasModel.OP_STACK, GasModel.ARBITRUM}:
            return (), None, ""
        slot = (head.made_at_s // L1_SLOT_S, len(head.fees.extra))
        if self._slot != slot:
            self._data_fees, self._slot = await self._read_data_fees(head), slot
        return self._data_fees

    async def _read_data_fees(self, head: _Head) -> _DataFees:
        if self._facts.gas_model is GasModel.OP_STACK:
            is_jovian = header_terms(head.fees.extra).base_fee_min_wei is not None
            answers = await self._call(op_stack_calls(self._facts.chain_id), head.hash)
            terms = l1_terms(answers, is_jovian=is_jovian)
            fees, doubt = op_stack_fees_wei(self._facts.chain_id, terms, answers[-1])
            return fees, terms, doubt
        return arbitrum_fees_wei(await self._call(arbitrum_calls(), head.hash)), None, ""

    async def _call(self, calls: Sequence[Call], block_hash: str) -> list[Answer]:
        answers = await self._node.batch(
            [
                ("eth_call", ({"to": to, "data": "0x" + data.hex()}, {"blockHash": block_hash}))
                for to, data in calls
            ]
        )
        if len(answers) != len(calls):
            raise BadValueError(f"{len(answers)} answers to {len(calls)} questions")
        return answers


def _tips(tip_wei: int, history: FeeHistory | None, *, least_wei: int) -> Tips | None:
    """Return within what another tip can be meant: what newest blocks were paid.

    Less than `least_wei` the chain does not take.
    """
    paid = [] if history is None else [one.tip_wei for one in history.blocks if one.used_ratio]
    if not paid:
        return None
    return Tips(
        now=_gwei(tip_wei),
        least=_gwei(max(min(*paid, tip_wei), min(least_wei, tip_wei))),
        most=_gwei(max(FACTOR_MAX * max(paid), tip_wei)),
    )


def _head(said: Json) -> _Head:
    if not isinstance(said, dict):
        raise BadValueError("the newest block is no object")
    return _Head(
        hash=parse_hash(said.get("hash"), "a block's hash"),
        made_at_s=parse_quantity(said.get("timestamp"), "a block's time", most=SECOND_MAX),
        fees=FeeHeader(
            number=parse_quantity(said.get("number"), "a block's number", most=BLOCK_NUMBER_MAX),
            base_fee_wei=parse_quantity(
                said.get("baseFeePerGas"), "a base fee", most=BASE_FEE_MAX_WEI
            ),
            gas_used=parse_quantity(said.get("gasUsed"), "gas used", most=GAS_MAX),
            gas_limit=parse_quantity(said.get("gasLimit"), "a gas limit", most=LIMIT_MAX),
            extra=parse_bytes(said.get("extraData", "0x"), "extra data"),
            blob_gas_used=parse_quantity(
                said.get("blobGasUsed", "0x0"), "gas of blobs", most=GAS_MAX
            ),
        ),
    )


def _given(answer: Answer) -> Json:
    if isinstance(answer, NodeError):
        raise answer
    return answer


def _gwei(wei: int | Decimal) -> Decimal:
    return Decimal(wei).scaleb(-GWEI_DECIMALS)
