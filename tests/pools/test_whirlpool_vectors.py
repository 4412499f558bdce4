"""Whirlpools equal the answers of Orca's own library (whirlpools-core 3.1.0), to the unit."""

from collections import Counter

import pytest

from engine.domain.errors import BadValueError
from engine.pools.whirlpool import amount_in, amount_out, swap
from tests.pools.whirlpool_vectors import lines, quotes_of, state_of

STATES = 3_000
COUNTS = {
    "answers": 6_983,
    "answers across a tick": 1_500,
    "answers from a price without liquidity": 133,
    "refusals": 5_017,
}
"""Exact, but for the swaps across ticks: at least so many."""


def test_every_answer_of_the_library_is_met_to_the_unit() -> None:
    counts: Counter[str] = Counter()

    for line in lines():
        for quote in quotes_of(line):
            if quote.answer is None:
                continue
            state = state_of(line)
            done = swap(
                state,
                quote.amount_raw,
                is_a_to_b=quote.is_a_to_b,
                is_exact_in=quote.is_exact_in,
            )
            found = (done.amount_in_raw, done.amount_out_raw, done.fee_raw)
            assert found == quote.answer, (line, quote)
            counts["answers"] += 1
            counts["across"] += done.liquidity != state.liquidity
            counts["from nothing"] += state.liquidity == 0

    assert len(lines()) == STATES
    assert counts["answers"] == COUNTS["answers"]
    assert counts["from nothing"] == COUNTS["answers from a price without liquidity"]
    assert counts["across"] >= COUNTS["answers across a tick"]


def test_what_the_library_refuses_is_refused_here() -> None:
    refused = 0
    for line in lines():
        for quote in quotes_of(line):
            if quote.answer is not None:
                continue
            with pytest.raises(BadValueError):  # or already by the state's maker
                swap(
                    state_of(line),
                    quote.amount_raw,
                    is_a_to_b=quote.is_a_to_b,
                    is_exact_in=quote.is_exact_in,
                )
            refused += 1

    assert refused == COUNTS["refusals"]


def test_amounts_by_token_index_are_those_of_the_swap() -> None:
    seen = set()
    for line in lines()[:300]:
        for quote in quotes_of(line):
            if quote.answer is None:
                continue
            given, paid, _ = quote.answer
            token_in = 0 if quote.is_a_to_b else 1
            ask = amount_out if quote.is_exact_in else amount_in
            if (given if quote.is_exact_in else paid) != quote.amount_raw:
                with pytest.raises(BadValueError):
                    ask(state_of(line), quote.amount_raw, token_in=token_in, token_out=1 - token_in)
                continue
            found = ask(state_of(line), quote.amount_raw, token_in=token_in, token_out=1 - token_in)
            assert found == (paid if quote.is_exact_in else given)
            seen.add((quote.is_exact_in, quote.is_a_to_b))
    assert len(seen) == 4
