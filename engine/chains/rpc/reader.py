"""Reads contracts at one block in few requests, and events of spans of blocks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.chains.ports import BlockRef, Call, Json, Log, Node, NodeError, Refusal
from engine.chains.rpc import checks, multicall
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.parsing import hex_bytes, hex_number, parse_bytes
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.errors import BadValueError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLimits:
    """How much is asked for at once.

    Attributes:
        calls_max, bytes_max: of one multicall, and of a batch.
    """

    calls_max: int = 200
    bytes_max: int = 96 * 1024


class ChainReader:
    """Reads by Multicall3 where it stands, else call by call in batches."""

    def __init__(self, node: Node, limits: ReadLimits | None = None) -> None:
        self._node = node
        self._limits = limits or ReadLimits()
        self._has_multicall: bool | None = None

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        """Return each call's answer, None where it reverted or there is no such contract."""
        answers: list[bytes | None] = []
        for chunk in _chunks(calls, self._limits):
            if len(chunk) > 1 and await self._multicall_stands(at):
                answers += await self._at_once(chunk, at)
            else:
                answers += await self._one_by_one(chunk, at)
        return answers

    async def logs(
        self,
        first: int,
        last: int,
        *,
        topics: Sequence[bytes],
        addresses: Sequence[str] = (),
    ) -> list[Log]:
        """Return the events of these kinds from a span of blocks, both ends included, in order."""
        asked: dict[str, Json] = {
            "fromBlock": hex_number(first),
            "toBlock": hex_number(last),
            "topics": [[hex_bytes(topic) for topic in topics]],
        }
        if addresses:
            asked["address"] = [*addresses]
        # A node that lacks the newest of these blocks gives the events of the others as if they
        # were all there are.
        last_block: Asked = ("eth_getBlockByNumber", (hex_number(last), False))
        logs, block = await self._node.batch([("eth_getLogs", (asked,)), last_block])
        if isinstance(logs, NodeError):
            raise logs
        if isinstance(block, NodeError):
            raise block
        if block is None:
            raise ProviderError(Trouble.BEHIND, f"block {last} is not known yet")
        try:
            return [*checks.parse_logs(logs, asked)]
        except BadValueError as error:
            raise ProviderError(Trouble.BAD_SHAPE, str(error)) from None

    async def _multicall_stands(self, at: BlockRef) -> bool:
        if self._has_multicall is None:
            code = await self._node.request("eth_getCode", multicall.ADDRESS, _named(at))
            has_code = code not in ("0x", "0x0", None)
            # What was deployed stays; what was not may come.
            self._has_multicall = has_code or None
            return has_code
        return self._has_multicall

    async def _at_once(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        """Make all calls in one; whatever it leaves open is asked for call by call.

        A call that takes all the gas, or answers without end, spoils those beside it; by itself it
        spoils none.
        """
        call = Call(multicall.ADDRESS, multicall.encode(calls))
        try:
            method, params = _question(call, at)
            said = await self._node.request(method, *params)
        except NodeError as error:
            if not (_is_reverted(error) or error.refusal is Refusal.TOO_MANY):
                raise
            return await self._one_by_one(calls, at)
        try:
            packed = parse_bytes(said, "a multicall's answer")
            outcomes = multicall.decode(packed, len(calls)) if packed else None
        except BadValueError as error:
            raise ProviderError(Trouble.BAD_SHAPE, str(error)) from None
        if outcomes is None:  # it did not stand there yet at this block
            return await self._one_by_one(calls, at)
        answers = [one.answer or None if one.is_success else None for one in outcomes]
        # Without a reason it may have lacked gas only because of its neighbours.
        open_ones = [
            index for index, one in enumerate(outcomes) if not one.is_success and not one.answer
        ]
        if open_ones:
            alone = await self._one_by_one([calls[index] for index in open_ones], at)
            for index, answer in zip(open_ones, alone, strict=True):
                answers[index] = answer
        return answers

    async def _one_by_one(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        """Ask for each by itself; what answers with more than may be said is as good as none."""
        try:
            said = await self._node.batch([_question(call, at) for call in calls])
        except NodeError as error:
            if error.refusal is not Refusal.TOO_MANY:
                raise
            if len(calls) == 1:
                return [None]
            half = len(calls) // 2
            return [
                *await self._one_by_one(calls[:half], at),
                *await self._one_by_one(calls[half:], at),
            ]
        return [_alone(one) for one in said]


def _alone(said: Json | NodeError) -> bytes | None:
    if isinstance(said, NodeError):
        if _is_reverted(said):
            return None
        raise said
    try:
        return parse_bytes(said, "a call's answer") or None
    except BadValueError as error:
        raise ProviderError(Trouble.BAD_SHAPE, str(error)) from None


def _is_reverted(error: NodeError) -> bool:
    return isinstance(error, ProviderError) and error.trouble is Trouble.REVERTED


def _question(call: Call, at: BlockRef) -> Asked:
    return "eth_call", ({"to": call.to, "data": hex_bytes(call.data)}, _named(at))


def _named(at: BlockRef) -> Json:
    """Name a block by its hash (EIP-1898): a node on another branch does not know it."""
    return {"blockHash": at.hash}


def _chunks(calls: Sequence[Call], limits: ReadLimits) -> Iterator[Sequence[Call]]:
    chunk: list[Call] = []
    size = 0
    for call in calls:
        if chunk and (len(chunk) == limits.calls_max or size + len(call.data) > limits.bytes_max):
            yield chunk
            chunk, size = [], 0
        chunk.append(call)
        size += len(call.data)
    if chunk:
        yield chunk
