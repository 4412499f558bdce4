"""How much of which token is in a pool: what whoever looks for liquidity can count.

A pool with a contract of its own holds its tokens itself; what it holds beside its liquidity (fees
that nobody has taken yet) is counted with it. A concentrated pool within another contract has no
balance: of one such it is counted how much a pair would hold that is as deep at its price.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from eth_hash.auto import keccak

from engine.chains.discovery.announcements import ANNOUNCED, BALANCER, V4
from engine.chains.discovery.found import FoundPool
from engine.chains.families.uniswap_v4 import EXTSLOAD, LIQUIDITY_OFFSET, POOLS_SLOT
from engine.chains.families.words import WORD, address_at, call_data, selector, unsigned
from engine.chains.ports import BlockRef, Call, Reader
from engine.domain.errors import BadValueError
from engine.domain.pools import TOKENS_MAX

GET_BALANCE: Final = selector("balanceOf(address)")
GET_POOL_TOKENS: Final = selector("getPoolTokens(bytes32)")

AMOUNT_RAW_MAX: Final = 2**128
"""No token of worth has more of its least unit; a balance beyond is a lie of the token's."""

_PRICE_MASK: Final = (1 << 160) - 1
_LIQUIDITY_MASK: Final = (1 << 128) - 1


class Held(NamedTuple):
    """What is in a pool, by token; nothing if it cannot be told."""

    pool: FoundPool
    amounts_raw: dict[str, int]


async def amounts_in(pools: Sequence[FoundPool], reader: Reader, at: BlockRef) -> list[Held]:
    """Read how much is in some pools at a block.

    Raises:
        NodeError: a node does not answer.
    """
    calls = [_calls(pool) for pool in pools]
    answers = iter(await reader.call([call for of in calls for call in of], at))
    return [
        Held(pool, _amounts(pool, [next(answers) for _ in of]))
        for pool, of in zip(pools, calls, strict=True)
    ]


def _calls(pool: FoundPool) -> list[Call]:
    made, number = ANNOUNCED[pool.dex.protocol], int(pool.address, 16)
    if made is V4:
        slot = int.from_bytes(keccak(call_data(b"", number, POOLS_SLOT)))
        return [
            Call(pool.dex.factory, call_data(EXTSLOAD, slot)),
            Call(pool.dex.factory, call_data(EXTSLOAD, slot + LIQUIDITY_OFFSET)),
        ]
    if made is BALANCER:
        return [Call(pool.dex.factory, call_data(GET_POOL_TOKENS, number))]
    return [Call(token, call_data(GET_BALANCE, number)) for token in pool.tokens]


def _amounts(pool: FoundPool, answers: Sequence[bytes | None]) -> dict[str, int]:
    made = ANNOUNCED[pool.dex.protocol]
    if made is BALANCER:
        try:
            return _sane(vault_amounts(pool, answers[0]))
        except BadValueError:
            return {}
    if any(answer is None or len(answer) != WORD for answer in answers):
        return {}
    words = [unsigned(answer, 0) for answer in answers if answer is not None]
    if made is V4:
        return _as_deep(pool, words[0] & _PRICE_MASK, words[1] & _LIQUIDITY_MASK)
    return _sane(dict(zip(pool.tokens, words, strict=True)))


def vault_amounts(pool: FoundPool, answer: bytes | None) -> dict[str, int]:
    """Return what a pool of Balancer holds of its tokens, without its own share.

    Raises:
        BadValueError: the vault's answer is none.
    """
    if answer is None or len(answer) < 5 * WORD or len(answer) % WORD:
        raise BadValueError("the vault does not say its tokens")
    words = len(answer) // WORD
    lists: list[list[int]] = []
    for index in (0, 1):
        start, odd = divmod(unsigned(answer, index), WORD)
        count = unsigned(answer, start) if start < words else TOKENS_MAX + 2
        if odd or count > TOKENS_MAX + 1 or start + 1 + count > words:
            raise BadValueError("the vault's list of its tokens is none")
        lists.append(list(range(start + 1, start + 1 + count)))
    if len(lists[0]) != len(lists[1]):
        raise BadValueError("the vault tells as many amounts as it has no tokens")
    amounts = {
        address_at(answer, at, what="a token"): unsigned(answer, amount)
        for at, amount in zip(*lists, strict=True)
    }
    amounts.pop(pool.address[:42], None)
    return amounts


def _sane(amounts: dict[str, int]) -> dict[str, int]:
    return {token: amount for token, amount in amounts.items() if amount < AMOUNT_RAW_MAX}


def _as_deep(pool: FoundPool, sqrt_price_x96: int, liquidity: int) -> dict[str, int]:
    if not sqrt_price_x96:
        return {}
    amounts = (liquidity << 96) // sqrt_price_x96, liquidity * sqrt_price_x96 >> 96
    return dict(zip(pool.tokens, amounts, strict=True))
