"""The Whirlpool vectors that Orca's own library answered, as states and quotes."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.pools.whirlpool import WhirlpoolState, make_whirlpool
from tests.pools.recordings import read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One answer: (input, output, fee), or the library's refusal."""

    is_exact_in: bool
    is_a_to_b: bool
    amount_raw: int
    answer: tuple[int, int, int] | None
    refusal: str


@cache
def lines() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line) for line in read_text("whirlpool_core.jsonl").splitlines())


def state_of(line: dict[str, Any]) -> WhirlpoolState:
    return make_whirlpool(
        pool="vector",
        tokens=("A", "B"),
        tick_spacing=line["spacing"],
        fee_e6=line["fee"],
        liquidity=int(line["liquidity"]),
        sqrt_price_x64=int(line["sqrtPrice"]),
        tick=line["tick"],
        ticks=[tick for tick, _ in line["ticks"]],
        nets=[int(net) for _, net in line["ticks"]],
        array_starts=line["starts"],
    )


def quotes_of(line: dict[str, Any]) -> Iterator[Quote]:
    for is_exact_in, is_a_to_b, amount, *rest in line["quotes"]:
        is_answer = len(rest) == 3
        yield Quote(
            is_exact_in=is_exact_in,
            is_a_to_b=is_a_to_b,
            amount_raw=int(amount),
            answer=(int(rest[0]), int(rest[1]), int(rest[2])) if is_answer else None,
            refusal="" if is_answer else rest[0],
        )
