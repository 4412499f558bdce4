"""Contracts are read at one block, whatever some of them do; events are checked."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode

from engine.chains.ports import BlockRef, Call, NodeError, Refusal
from engine.chains.rpc import multicall
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.opening import open_providers
from engine.chains.rpc.reader import ChainReader, ReadLimits
from engine.connectors.outbound import open_outbound
from tests.chains.rpc.pretend_node import NodeSaysNoError, PretendNode, pretend_node

AT = BlockRef(number=5, hash="0x" + "aa" * 32, parent_hash="0x" + "bb" * 32, made_at_s=1)
TOPIC = b"\x07" * 32


def contract(number: int) -> str:
    return "0x" + f"{number:040x}"


class Contracts:
    """Contracts that answer what is in `answers` by address; one that is missing has no code."""

    def __init__(self, node: PretendNode, *, has_multicall: bool) -> None:
        self.answers: dict[str, bytes | NodeSaysNoError] = {}
        self.sizes: list[int] = []
        node.methods["eth_getCode"] = lambda *_: "0x60" if has_multicall else "0x"
        node.methods["eth_call"] = self.call

    def call(self, asked: dict[str, str], at: dict[str, str]) -> str:
        assert at == {"blockHash": AT.hash}
        data = bytes.fromhex(asked["data"][2:])
        if asked["to"] != multicall.ADDRESS:
            return "0x" + self.answer_of(asked["to"]).hex()
        [calls] = abi_decode(["(address,bool,bytes)[]"], data[4:])
        self.sizes.append(len(calls))
        return (
            "0x" + abi_encode(["(bool,bytes)[]"], [[self.outcome(to) for to, _, _ in calls]]).hex()
        )

    def outcome(self, to: str) -> tuple[bool, bytes]:
        try:
            return True, self.answer_of(to)
        except NodeSaysNoError as error:
            return False, b"why" if error.message.endswith(": why") else b""

    def answer_of(self, to: str) -> bytes:
        answer = self.answers.get(to, b"")
        if isinstance(answer, NodeSaysNoError):
            raise answer
        return answer


class Ground(AsyncExitStack):
    async def reader(
        self, *, has_multicall: bool, limits: ReadLimits | None = None
    ) -> tuple[ChainReader, Contracts, PretendNode]:
        node = await self.enter_async_context(pretend_node())
        way = await self.enter_async_context(open_outbound(None))
        pool = await self.enter_async_context(
            open_providers(
                [Access(name="one", http_url=node.url)], way, chain_id=31_337, block_ms=12_000
            )
        )
        contracts = Contracts(node, has_multicall=has_multicall)
        return ChainReader(pool, limits), contracts, node


@pytest.mark.parametrize("has_multicall", [True, False])
async def test_each_call_is_answered_for_itself(*, has_multicall: bool) -> None:
    async with Ground() as ground:
        reader, contracts, _ = await ground.reader(has_multicall=has_multicall)
        contracts.answers = {
            contract(1): b"\x01" * 32,
            contract(2): NodeSaysNoError(3, "execution reverted: why"),
            contract(3): NodeSaysNoError(-32000, "execution reverted"),
            contract(5): b"\x05",
        }

        answers = await reader.call([Call(contract(n), b"\x12") for n in range(1, 6)], AT)

        assert answers == [b"\x01" * 32, None, None, None, b"\x05"]


@pytest.mark.parametrize(
    "text",
    [
        "EVM error InvalidFEOpcode",
        "EVM error OutOfOffset",
        "invalid opcode: INVALID",
        "stack underflow (0 <=> 2)",
        "return data out of bounds",
        "write protection",
        "gas uint64 overflow",
        "VM execution error.",
        "Bad instruction fe",
    ],
)
async def test_a_contract_that_fails_in_any_way_takes_no_other_with_it(text: str) -> None:
    async with Ground() as ground:
        reader, contracts, _ = await ground.reader(has_multicall=False)
        contracts.answers = {contract(1): NodeSaysNoError(-32603, text), contract(2): b"\x02"}

        answers = await reader.call([Call(contract(n), b"\x12") for n in (1, 2)], AT)

        assert answers == [None, b"\x02"]


async def test_reads_go_in_few_requests_of_bounded_size() -> None:
    async with Ground() as ground:
        limits = ReadLimits(calls_max=40, bytes_max=100)
        reader, contracts, node = await ground.reader(has_multicall=True, limits=limits)
        contracts.answers = {contract(n): bytes([n]) for n in range(100)}

        small = await reader.call([Call(contract(n), b"") for n in range(100)], AT)
        large = await reader.call([Call(contract(n), bytes(50)) for n in range(5)], AT)

        assert small == [bytes([n]) for n in range(100)]
        assert large == [bytes([n]) for n in range(5)]
        assert contracts.sizes == [40, 40, 20, 2, 2]
        asked = [method for method in node.asked if method in ("eth_getCode", "eth_call")]
        assert asked == ["eth_getCode", *["eth_call"] * 6]


async def test_a_call_that_spoils_the_whole_multicall_costs_the_others_nothing() -> None:
    async with Ground() as ground:
        reader, contracts, node = await ground.reader(has_multicall=True)
        contracts.answers = {contract(1): b"\x01", contract(2): b"\x02"}
        node.methods["eth_call"] = _multicall_reverts(contracts)

        answers = await reader.call([Call(contract(n), b"") for n in (1, 2)], AT)

        assert answers == [b"\x01", b"\x02"]


def _multicall_reverts(contracts: Contracts) -> Any:
    def call(asked: dict[str, str], at: dict[str, str]) -> str:
        if asked["to"] == multicall.ADDRESS:
            raise NodeSaysNoError(-32000, "out of gas")
        return contracts.call(asked, at)

    return call


async def test_a_call_that_lacked_gas_beside_a_greedy_one_is_made_again_alone() -> None:
    async with Ground() as ground:
        reader, contracts, node = await ground.reader(has_multicall=True)
        contracts.answers = {contract(2): b"\x02"}
        burnt = abi_encode(["(bool,bytes)[]"], [[(False, b""), (False, b"")]])
        node.methods["eth_call"] = lambda asked, at: (
            "0x" + burnt.hex() if asked["to"] == multicall.ADDRESS else contracts.call(asked, at)
        )

        answers = await reader.call([Call(contract(n), b"") for n in (1, 2)], AT)

        assert answers == [None, b"\x02"]


@pytest.mark.parametrize("has_multicall", [True, False])
async def test_an_answer_without_end_costs_the_others_nothing(*, has_multicall: bool) -> None:
    async with Ground() as ground:
        reader, contracts, _ = await ground.reader(has_multicall=has_multicall)
        contracts.answers = {contract(n): bytes([n]) for n in range(8)}
        contracts.answers[contract(3)] = bytes(5 * 1024 * 1024)

        answers = await reader.call([Call(contract(n), b"") for n in range(8)], AT)

        assert answers == [bytes([n]) if n != 3 else None for n in range(8)]


@pytest.mark.parametrize("said", [None, 7, "0x1", "0xzz", "0x" + "ff" * 64, [], {}])
async def test_a_multicall_that_says_what_cannot_be_is_a_lie(said: object) -> None:
    async with Ground() as ground:
        reader, _, node = await ground.reader(has_multicall=True)
        node.methods["eth_call"] = lambda *_: said

        with pytest.raises(NodeError) as refused:
            await reader.call([Call(contract(1), b""), Call(contract(2), b"")], AT)

        assert refused.value.refusal is Refusal.LIED


async def test_a_block_that_the_node_does_not_know_is_no_empty_contract() -> None:
    async with Ground() as ground:
        reader, contracts, _ = await ground.reader(has_multicall=False)
        contracts.answers = {contract(1): NodeSaysNoError(-32001, "Resource not found")}

        with pytest.raises(NodeError) as refused:
            await reader.call([Call(contract(1), b""), Call(contract(2), b"")], AT)

        assert refused.value.refusal is Refusal.REFUSED


def event(number: int, index: int, **other: object) -> dict[str, object]:
    said: dict[str, object] = {
        "address": contract(1),
        "topics": ["0x" + TOPIC.hex()],
        "data": "0x",
        "blockNumber": hex(number),
        "blockHash": "0x" + f"{number:064x}",
        "transactionHash": "0x" + "cc" * 32,
        "logIndex": hex(index),
        "removed": False,
    }
    return said | other


async def logs_of(said: object, *, addresses: Sequence[str] = ()) -> list[tuple[int, int]]:
    async with Ground() as ground:
        reader, _, node = await ground.reader(has_multicall=False)
        node.methods["eth_getLogs"] = lambda _: said
        for _ in range(20):
            node.mine()
        logs = await reader.logs(10, 20, topics=[TOPIC], addresses=addresses)
        return [(log.block_number, log.index) for log in logs]


async def test_events_come_in_the_order_of_their_places() -> None:
    told = [event(12, 3), event(12, 1), event(10, 7)]

    assert await logs_of(told) == [(10, 7), (12, 1), (12, 3)]
    assert await logs_of([]) == []


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        [None],
        [event(9, 0)],
        [event(21, 0)],
        [event(12, 0, topics=[])],
        [event(12, 0, topics=["0x" + "08" * 32])],
        [event(12, 0), event(12, 0)],
        [event(12, 0), event(12, 1, blockHash="0x" + "01" * 32)],
        [event(12, 0, removed=True)],
        [event(12, 0, address=contract(2))],
    ],
)
async def test_events_that_cannot_be_the_answer_are_a_lie(said: object) -> None:
    with pytest.raises(NodeError) as refused:
        await logs_of(said, addresses=[contract(1)])

    assert refused.value.refusal is Refusal.LIED
