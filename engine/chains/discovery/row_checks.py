"""Whether what a row says of a DEX is so at a node: asked at start, before anything rests on it."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from engine.chains.discovery.announcements import (
    ALGEBRA,
    ANNOUNCED,
    BALANCER,
    FEE_TIER,
    LIST,
    PAIR,
    SLIPSTREAM,
    SOLIDLY,
    SOLIDLY_V1,
    V4,
    Announcement,
)
from engine.chains.families.words import WORD, call_data, selector
from engine.chains.ports import BlockRef, Call, Node, Reader
from engine.chains.rpc.parsing import hex_number
from engine.domain.dexes import Dex

_TIER: Final = 500
"""A fee that every factory of V3's kind begins with."""

_QUESTIONS: Final[Mapping[Announcement, tuple[str, bytes]]] = {
    PAIR: ("how many pairs it has", call_data(selector("allPairsLength()"))),
    SOLIDLY_V1: ("how many pairs it has", call_data(selector("allPairsLength()"))),
    FEE_TIER: ("its fees", call_data(selector("feeAmountTickSpacing(uint24)"), _TIER)),
    ALGEBRA: ("who deploys", call_data(selector("poolDeployer()"))),
    SLIPSTREAM: ("what its pools are made of", call_data(selector("poolImplementation()"))),
    SOLIDLY: ("what its pools are made of", call_data(selector("implementation()"))),
    V4: ("whose it is", call_data(selector("owner()"))),
    BALANCER: ("what it wraps", call_data(selector("WETH()"))),
    LIST: ("how many pools it has", call_data(selector("pool_count()"))),
}


class CheckedRow(NamedTuple):
    """A DEX, and why its row is not believed; empty if it is."""

    dex: Dex
    why_not: str


async def checked_rows(
    dexes: Sequence[Dex], reader: Reader, at: BlockRef, *, wrapped: str
) -> list[CheckedRow]:
    """Ask each factory what only such a one can answer.

    Args:
        dexes: rows of a chain.
        reader: of the chain.
        at: the block to ask at.
        wrapped: the chain's wrapped coin.

    Raises:
        NodeError: a node does not answer.
    """
    known = [dex for dex in dexes if dex.protocol in ANNOUNCED]
    calls = [Call(dex.factory, _QUESTIONS[ANNOUNCED[dex.protocol]][1]) for dex in known]
    answers = await reader.call(calls, at)
    return [
        CheckedRow(dex, _why_not(dex, answer, wrapped))
        for dex, answer in zip(known, answers, strict=True)
    ]


async def with_first_blocks(dexes: Sequence[Dex], node: Node) -> list[Dex]:
    """Return rows whose factory did not stand yet before the first block that they name.

    One that did is read from the chain's first block on: pools would be left out else. A node that
    does not keep what was so long ago cannot say.
    """
    dated = [dex for dex in dexes if dex.first_block > 0]
    asked = [("eth_getCode", (dex.factory, hex_number(dex.first_block - 1))) for dex in dated]
    codes = await node.batch(asked) if asked else []
    late = {
        (dex.protocol, dex.factory)
        for dex, code in zip(dated, codes, strict=True)
        if isinstance(code, str) and code.removeprefix("0x")
    }
    return [
        msgspec.structs.replace(dex, first_block=0) if (dex.protocol, dex.factory) in late else dex
        for dex in dexes
    ]


def _why_not(dex: Dex, answer: bytes | None, wrapped: str) -> str:
    what, _ = _QUESTIONS[ANNOUNCED[dex.protocol]]
    if answer is None:
        return f"no contract at {dex.factory} says {what}"
    expected = wrapped if ANNOUNCED[dex.protocol] is BALANCER else _expected(dex)
    if len(answer) != WORD or (expected and f"0x{answer[12:].hex()}" != expected):
        said = answer[:WORD].hex()
        return f"{dex.factory} says {what}: {said}, where {expected or 'a word'} is looked for"
    if not expected and dex.protocol in _NEVER_ZERO and not any(answer):
        return f"{dex.factory} says {what}: nothing"
    return ""


def _expected(dex: Dex) -> str:
    made = ANNOUNCED[dex.protocol]
    if made is ALGEBRA:
        return dex.deployer
    if made in (SLIPSTREAM, SOLIDLY):
        return dex.implementation
    return ""


_NEVER_ZERO: Final = frozenset(
    protocol for protocol, made in ANNOUNCED.items() if made not in (PAIR, SOLIDLY_V1, LIST)
)
"""A factory may have no pairs yet; what the others are asked they always have."""
