"""Calldata that nobody means well with: one kind of error, and never much work."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chains.pending.calldata import (
    CALLDATA_BYTES_MAX,
    DEPTH_MAX,
    ITEMS_MAX,
    Budget,
    UndecodableError,
    Why,
    Words,
)
from engine.chains.pending.decode import decode
from engine.chains.pending.predict import predict
from tests.chains.pending.campaign_calldata import Nothing, is_safe, mutated
from tests.chains.pending.routers_there import ETHEREUM
from tests.chains.pending.samples import SAMPLES, SELECTORS, SENDER, SWAP_ROUTER_02, UNIVERSAL, call
from tests.effort import examples


def why_of(to: str, text: bytes) -> Why | None:
    try:
        decode(text, to=to, sender=SENDER, value_raw=0, routers=ETHEREUM)
    except UndecodableError as error:
        return error.why
    return None


@settings(max_examples=examples(150), deadline=None)
@given(
    to=st.sampled_from(sorted(ETHEREUM)),
    selector=st.sampled_from(SELECTORS),
    words=st.lists(
        st.one_of(
            st.integers(0, 2**256 - 1),
            st.integers(0, 40).map(lambda count: 32 * count),
            st.sampled_from([0, 1, 2, 2**255, 2**256 - 1, 2**32, 2**160 - 1]),
        ),
        max_size=40,
    ),
    tail=st.binary(max_size=40),
)
def test_any_words_are_decoded_or_refused(
    to: str, selector: bytes, words: list[int], tail: bytes
) -> None:
    text = selector + b"".join(word.to_bytes(32) for word in words) + tail

    assert is_safe(to, text)


@settings(max_examples=examples(300), deadline=None)
@given(name=st.sampled_from(sorted(SAMPLES)), seed=st.integers(0, 2**32))
def test_a_true_call_with_changed_bytes_is_decoded_or_refused(name: str, seed: int) -> None:
    to, _, text = SAMPLES[name]

    assert is_safe(to, mutated(text, random.Random(seed)))


def test_every_beginning_of_a_true_call_is_decoded_or_refused() -> None:
    for to, _, text in SAMPLES.values():
        assert all(is_safe(to, text[:length]) for length in range(len(text)))


def test_calls_within_calls_without_end_are_refused() -> None:
    text = call("multicall(bytes[])", [])
    for _ in range(DEPTH_MAX + 1):
        text = call("multicall(bytes[])", [text])

    assert why_of(SWAP_ROUTER_02, text) is Why.TOO_MUCH


def test_an_array_whose_elements_are_all_the_same_great_one_costs_little() -> None:
    # Each element points to one text, a call of as many elements that point to one text: with no
    # budget this is elements to the power of the depth.
    count = 1_000
    inner = b"\0" * 64
    for _ in range(DEPTH_MAX):
        head = b"".join((32 * count).to_bytes(32) for _ in range(count))
        array = (32).to_bytes(32) + count.to_bytes(32) + head
        inner = b"\xac\x96\x50\xd8" + array + len(inner).to_bytes(32) + inner
    assert len(inner) <= CALLDATA_BYTES_MAX * 2

    started_s = time.thread_time()  # what others have of the processor meanwhile is no matter
    why = why_of(SWAP_ROUTER_02, inner[:CALLDATA_BYTES_MAX])

    assert why in (Why.TOO_MUCH, Why.CUT_OFF)
    assert time.thread_time() - started_s < 1.0


def test_an_array_of_more_elements_than_anybody_needs_is_not_read() -> None:
    words = [32, ITEMS_MAX + 1, *range(ITEMS_MAX + 1)]
    text = b"".join(word.to_bytes(32) for word in words)

    with pytest.raises(UndecodableError) as raised:
        Words(text, 0, len(text), Budget()).uints(0)

    assert raised.value.why is Why.TOO_MUCH


def test_one_great_text_told_many_times_is_looked_at_a_few_times_only() -> None:
    count = ITEMS_MAX - 10
    text_bytes = 100_000
    head = b"".join((32 * count).to_bytes(32) for _ in range(count))
    text = b"\xac\x96\x50\xd8" + (32).to_bytes(32) + count.to_bytes(32) + head
    text += text_bytes.to_bytes(32) + b"\0" * text_bytes

    assert why_of(SWAP_ROUTER_02, text) is Why.TOO_MUCH


def test_a_hostile_plan_that_is_decoded_is_predicted_without_an_error() -> None:
    for seed in range(300):
        text = mutated(SAMPLES["universal"][2], random.Random(seed))
        try:
            intent = decode(text, to=UNIVERSAL, sender=SENDER, value_raw=1, routers=ETHEREUM)
        except UndecodableError:
            continue
        assert intent is not None
        assert predict(intent, Nothing(), at_s=0).effects == ()
