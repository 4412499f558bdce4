"""A reader of contracts that say what a test has them say."""

from collections.abc import Sequence

from engine.chains.ports import BlockRef, Call, Log

AT = BlockRef(number=7, hash="0x" + "aa" * 32, parent_hash="0x" + "bb" * 32, made_at_s=1)


class Saying:
    """Answers by contract and call, in digits; what is not there reverts. Counts the calls."""

    def __init__(self) -> None:
        self.says: dict[tuple[str, str], bytes] = {}
        self.calls = 0

    def token(self, address: str, *, symbol: bytes | None, decimals: bytes | None) -> None:
        for name, said in (("95d89b41", symbol), ("06fdde03", symbol), ("313ce567", decimals)):
            self.says.pop((address, name), None)
            if said is not None:
                self.says[address, name] = said

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        assert at == AT
        self.calls += len(calls)
        return [self.says.get((call.to, call.data.hex())) for call in calls]

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        raise NotImplementedError
