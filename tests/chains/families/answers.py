"""A reader that answers from a table, for tests without a node: contracts as written down here."""

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from engine.chains.ports import BlockRef, Call, Log
from tests.chains.families.logs import BLOCK_HASH, types_of

AT = BlockRef(number=1, hash=BLOCK_HASH, parent_hash="0x" + "0a" * 32, made_at_s=1_700_000_000)


class Answers:
    """See `ports.Reader`; what is not in the table reverts."""

    def __init__(self) -> None:
        self.table: dict[Call, bytes | None] = {}
        self.asked: list[Call] = []

    def say(
        self, to: str, signature: str, arguments: Sequence[object] = (), *, words: Sequence[int]
    ) -> Call:
        """Answer a function with words of 32 bytes; negative ones as two's complement."""
        types = types_of(signature) if arguments else []
        call = Call(to, keccak(text=signature)[:4] + encode(types, arguments))
        self.table[call] = b"".join((one % 2**256).to_bytes(32) for one in words)
        return call

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        assert at == AT
        self.asked += calls
        return [self.table.get(call) for call in calls]

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        raise NotImplementedError
