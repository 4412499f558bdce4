"""The bytes of aggregate3, beside those of a general ABI library."""

import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.ports import Call
from engine.chains.rpc import multicall
from engine.domain.errors import BadValueError

CALLS = "(address,bool,bytes)[]"
OUTCOMES = "(bool,bytes)[]"
addresses = st.binary(min_size=20, max_size=20).map(lambda value: "0x" + value.hex())


@given(st.lists(st.tuples(addresses, st.binary(max_size=100)), max_size=6))
def test_calls_are_written_as_the_library_writes_them(asked: list[tuple[str, bytes]]) -> None:
    ours = multicall.encode([Call(to, data) for to, data in asked])

    theirs = abi_encode([CALLS], [[(to, True, data) for to, data in asked]])
    assert ours == bytes.fromhex("82ad56cb") + theirs


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=100)), max_size=6))
def test_outcomes_are_read_as_the_library_writes_them(told: list[tuple[bool, bytes]]) -> None:
    answer = abi_encode([OUTCOMES], [told])

    assert [tuple(one) for one in multicall.decode(answer, len(told))] == told


@given(
    st.lists(st.tuples(st.booleans(), st.binary(max_size=70)), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=6),
    st.integers(0, 64),
)
def test_spoilt_bytes_are_refused_or_read_as_the_library_reads_them(
    told: list[tuple[bool, bytes]], spoilt: list[tuple[int, int]], cut: int
) -> None:
    answer = bytearray(abi_encode([OUTCOMES], [told]))
    for at, value in spoilt:
        answer[at % len(answer)] = value
    spoilt_answer = bytes(answer[: len(answer) - cut])

    try:
        ours = multicall.decode(spoilt_answer, len(told))
    except BadValueError:
        return
    [theirs] = abi_decode([OUTCOMES], spoilt_answer)
    assert [tuple(one) for one in ours] == list(theirs)


@pytest.mark.parametrize("answer", [b"", b"\0" * 31, b"\xff" * 32, b"\xff" * 640, b"\0" * 64])
def test_what_is_no_such_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(BadValueError):
        multicall.decode(answer, 2)


def test_an_answer_whose_parts_are_the_same_bytes_many_times_over_takes_no_more_memory() -> None:
    word = (32).to_bytes(32, "big")
    count = 1_000
    shared = (count * 32).to_bytes(32, "big")
    big = b"".join((word, count.to_bytes(32, "big"), shared * count))
    big += (1).to_bytes(32, "big") + (64).to_bytes(32, "big") + (60_000).to_bytes(32, "big")
    big += bytes(60_000)

    with pytest.raises(BadValueError):
        multicall.decode(big, count)
