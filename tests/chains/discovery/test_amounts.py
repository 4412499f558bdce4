"""What is in a pool is taken from answers that may be anything."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.discovery.amounts import AMOUNT_RAW_MAX, amounts_in, vault_amounts
from engine.chains.discovery.balancer_kinds import balancer_kinds
from engine.chains.discovery.found import FoundPool
from engine.chains.ports import BlockRef, Call
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError
from engine.domain.pools import Protocol
from tests.chains.discovery.answering import number
from tests.chains.discovery.pretend_chain import V2, V4, token, word
from tests.chains.discovery.saying import AT, Saying

BALANCER = Dex(
    name="Balancer V2, weighted",
    chain="ethereum",
    protocol=Protocol.BALANCER_WEIGHTED,
    factory="0x" + "ba" * 20,
)
POOL_ID = "0x" + "cd" * 20 + "00" * 12
WEIGHTED = FoundPool(dex=BALANCER, address=POOL_ID, block=1)
PAIR = FoundPool(dex=V2, address="0x" + "ee" * 20, tokens=(token(1), token(2)), block=1)
KEYED = FoundPool(dex=V4, address="0x" + "ab" * 32, tokens=(token(0), token(2)), block=1)


def listed(tokens: list[str], amounts: list[int]) -> bytes:
    head = word(96) + word(96 + 32 * (1 + len(tokens))) + word(7)
    lists = word(len(tokens)) + b"".join(map(word, tokens)) + word(len(amounts))
    return head + lists + b"".join(map(word, amounts))


@given(st.binary(max_size=700) | st.none())
def test_any_answer_of_the_vault_is_a_few_tokens_or_refused(answer: bytes | None) -> None:
    with suppress(BadValueError):
        assert len(vault_amounts(WEIGHTED, answer)) <= 9


@given(st.lists(st.integers(0, 2**256 - 1), min_size=5, max_size=40))
def test_any_words_of_the_vault_are_a_few_tokens_or_refused(words: list[int]) -> None:
    with suppress(BadValueError):
        assert len(vault_amounts(WEIGHTED, b"".join(map(number, words)))) <= 9


def test_a_pools_own_share_is_none_of_its_tokens() -> None:
    answer = listed([token(1), POOL_ID[:42], token(3)], [5, 2**111, 7])

    assert vault_amounts(WEIGHTED, answer) == {token(1): 5, token(3): 7}


@pytest.mark.parametrize(
    "answer",
    [
        listed([token(1), token(2)], [5]),
        listed([token(index) for index in range(1, 12)], [1] * 11),
        listed([token(1), "0x" + "ff" * 32], [1, 1]),
        listed([token(1), token(2)], [1, 2])[:-32],
        b"",
    ],
)
def test_a_list_that_no_vault_tells_is_refused(answer: bytes) -> None:
    with pytest.raises(BadValueError):
        vault_amounts(WEIGHTED, answer)


async def test_a_pool_of_a_balance_that_cannot_be_counts_without_it() -> None:
    reader = Saying()
    owner = "70a08231" + word(PAIR.address).hex()
    reader.says[token(1), owner] = number(1_000)
    reader.says[token(2), owner] = number(AMOUNT_RAW_MAX)

    [held] = await amounts_in([PAIR], reader, AT)

    assert held.amounts_raw == {token(1): 1_000}


@pytest.mark.parametrize("answer", [None, b"", b"\1", number(1) * 2])
async def test_a_pool_one_of_whose_tokens_says_no_balance_holds_nobody_knows_what(
    answer: bytes | None,
) -> None:
    reader = Saying()
    owner = "70a08231" + word(PAIR.address).hex()
    reader.says[token(1), owner] = number(1_000)
    if answer is not None:
        reader.says[token(2), owner] = answer

    [held] = await amounts_in([PAIR], reader, AT)

    assert held.amounts_raw == {}


async def test_an_id_within_a_contract_counts_as_deep_as_it_is() -> None:
    class Manager(Saying):
        async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
            assert at == AT
            assert {call.to for call in calls} == {V4.factory}
            return [number(7 << 160 | 2 << 96), number(1 << 200 | 10**18)]

    [held] = await amounts_in([KEYED], Manager(), AT)

    assert held.amounts_raw == {token(0): 10**18 // 2, token(2): 2 * 10**18}


@pytest.mark.parametrize(
    ("says", "protocol"),
    [
        ("f89f27ed", Protocol.BALANCER_WEIGHTED),
        ("6daccffa", Protocol.BALANCER_STABLE),
        ("", None),
    ],
)
async def test_a_pool_of_balancer_is_of_the_kind_that_it_says(
    says: str, protocol: Protocol | None
) -> None:
    reader = Saying()
    reader.says[BALANCER.factory, "f94d4668" + POOL_ID[2:]] = listed([token(1), token(2)], [5, 6])
    if says:
        reader.says[POOL_ID[:42], says] = number(1)

    kind = (await balancer_kinds([WEIGHTED], reader, AT))[POOL_ID]

    assert (None if kind is None else (kind.dex.protocol, kind.tokens)) == (
        protocol and (protocol, (token(1), token(2)))
    )


async def test_a_pool_of_balancer_that_says_it_is_of_both_kinds_is_of_none() -> None:
    reader = Saying()
    reader.says[BALANCER.factory, "f94d4668" + POOL_ID[2:]] = listed([token(1), token(2)], [5, 6])
    reader.says[POOL_ID[:42], "f89f27ed"] = reader.says[POOL_ID[:42], "6daccffa"] = number(1)

    assert await balancer_kinds([WEIGHTED], reader, AT) == {POOL_ID: None}
