"""What ERC-20 allowances our wallet and our contract have given, as of one block that is named.

Found by `Approval` logs, and believed only as `allowance()` says at that block: logs of a token may
lie, and what was given may be used up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from eth_hash.auto import keccak

from engine.chains.ports import Json, NodeError
from engine.chains.rpc.parsing import hex_number, parse_address, parse_bytes, parse_quantity
from engine.domain.errors import BadValueError
from engine.sending.view import Batches

APPROVAL: Final = keccak(b"Approval(address,address,uint256)")
SPAN_BLOCKS: Final = 10_000
"""Of which logs are asked at once; where that is too much, half of it, and so on."""

PAIRS_MAX: Final = 500
"""Of token, owner and spender that are looked at, the newest."""

ASKED_AT_ONCE: Final = 50
UNLIMITED_RAW: Final = 1 << 95
"""Tokens that count with fewer bits call this much unlimited; no supply is near it ..."""

_WORD: Final = 32
_ALLOWANCE: Final = keccak(b"allowance(address,address)")[:4]
_SUPPLY: Final = keccak(b"totalSupply()")[:4]
_DECIMALS: Final = keccak(b"decimals()")[:4]
_SYMBOL: Final = keccak(b"symbol()")[:4]
_DECIMALS_MAX: Final = 36
_SYMBOL_MAX: Final = 12
_TOPICS: Final = 3


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """An allowance that holds.

    Attributes:
        token, owner, spender: addresses in lower case.
        raw: how much may still be taken.
        decimals, symbol: as the token says of itself; 0 and its address where it does not.
        is_unlimited: it is more than all that there is of the token, or as good as that.
    """

    token: str
    owner: str
    spender: str
    raw: int
    decimals: int = 0
    symbol: str = ""
    is_unlimited: bool = False


class Allowances(msgspec.Struct, frozen=True, kw_only=True):
    """What holds at a block.

    Attributes:
        block: of the chain, at which each was asked for.
        since: the first block whose logs were read.
        looked: token, owner and spender that logs name; `left_out` more were too many.
        given: what of these holds.
    """

    block: int
    since: int
    looked: int
    left_out: int
    given: tuple[Given, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowanceLook:
    """Looks at a chain.

    Attributes:
        owners: whose allowances are meant, addresses in lower case.
        since: the first block whose logs are read.
    """

    node: Batches
    owners: tuple[str, ...]
    since: int = 0

    async def look(self) -> Allowances:
        """Return what holds at the newest block.

        Raises:
            NodeError: its nodes do not say.
            BadValueError: what they say cannot be.
        """
        (said,) = await self._asked([("eth_blockNumber", ())])
        block = parse_quantity(said, "a block's number")
        found = await self._named(block)
        kept = found[-PAIRS_MAX:]
        given = []
        for at in range(0, len(kept), ASKED_AT_ONCE):
            given += await self._held(kept[at : at + ASKED_AT_ONCE], block)
        return Allowances(
            block=block,
            since=self.since,
            looked=len(kept),
            left_out=len(found) - len(kept),
            given=tuple(given),
        )

    async def _named(self, block: int) -> list[tuple[str, str, str]]:
        """Return token, owner and spender of all logs up to a block, in their order, each once."""
        owners = ["0x" + one[2:].rjust(64, "0") for one in self.owners]
        found: dict[tuple[str, str, str], None] = {}
        first, span = self.since, SPAN_BLOCKS
        while first <= block:
            last = min(first + span - 1, block)
            where: Json = {
                "fromBlock": hex_number(first),
                "toBlock": hex_number(last),
                "topics": ["0x" + APPROVAL.hex(), [*owners]],
            }
            try:
                (logs,) = await self._asked([("eth_getLogs", (where,))])
            except NodeError:
                if span == 1:
                    raise
                span = max(1, span // 2)
                continue
            for key in _keys(logs):
                found.pop(key, None)
                found[key] = None
            first = last + 1
        return list(found)

    async def _held(self, keys: Sequence[tuple[str, str, str]], block: int) -> list[Given]:
        at = hex_number(block)
        amounts = await self._calls([(t, _ALLOWANCE + _words(o, s)) for t, o, s in keys], at)
        held = [(key, raw) for key, raw in zip(keys, map(_number, amounts), strict=True) if raw]
        of_tokens: list[tuple[str, bytes]] = []
        for (token, _, _), _ in held:
            of_tokens += [(token, _SUPPLY), (token, _DECIMALS), (token, _SYMBOL)]
        told = await self._calls(of_tokens, at)
        given = []
        for index, ((token, owner, spender), raw) in enumerate(held):
            supply, decimals, symbol = told[3 * index : 3 * index + 3]
            whole = _number(supply)
            given.append(
                Given(
                    token=token,
                    owner=owner,
                    spender=spender,
                    raw=raw,
                    decimals=min(_number(decimals), _DECIMALS_MAX),
                    symbol=_text(symbol) or token,
                    is_unlimited=raw >= UNLIMITED_RAW or 0 < whole <= raw,
                )
            )
        return given

    async def _calls(self, calls: Sequence[tuple[str, bytes]], at: str) -> list[bytes]:
        """Return what contracts answer; nothing of one that answers nothing or reverts."""
        if not calls:
            return []
        said = await self.node.batch(
            [("eth_call", ({"to": to, "data": "0x" + data.hex()}, at)) for to, data in calls]
        )
        return [
            b"" if isinstance(one, NodeError) else parse_bytes(one, "an answer") for one in said
        ]

    async def _asked(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        found: list[Json] = []
        for one in await self.node.batch(asked):
            if isinstance(one, NodeError):
                raise one
            found.append(one)
        return found


def _keys(logs: Json) -> list[tuple[str, str, str]]:
    if not isinstance(logs, list):
        raise BadValueError("logs are no list")
    found = []
    for log in logs:
        if not isinstance(log, dict):
            raise BadValueError("a log is no object")
        topics = log.get("topics")
        if not isinstance(topics, list) or len(topics) != _TOPICS:
            continue  # an NFT's, which names what it is for by a topic more
        owner, spender = ("0x" + parse_bytes(one, "a topic")[-20:].hex() for one in topics[1:])
        found.append((parse_address(log.get("address"), "a token"), owner, spender))
    return found


def _words(*addresses: str) -> bytes:
    return b"".join(bytes.fromhex(one[2:]).rjust(_WORD, b"\0") for one in addresses)


def _number(answer: bytes) -> int:
    return int.from_bytes(answer) if len(answer) == _WORD else 0


def _text(answer: bytes) -> str:
    """Read a string, or a name in 32 bytes, as tokens give either; only what can be shown."""
    content = answer
    if len(answer) >= 3 * _WORD and int.from_bytes(answer[:_WORD]) == _WORD:
        size = int.from_bytes(answer[_WORD : 2 * _WORD])
        content = answer[2 * _WORD : 2 * _WORD + min(size, _SYMBOL_MAX)]
    text = content.rstrip(b"\0")[:_SYMBOL_MAX].decode("utf-8", "replace")
    return text if text.isascii() and text.isprintable() else ""
