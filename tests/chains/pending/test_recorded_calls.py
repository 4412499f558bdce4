"""Real transactions of Ethereum: the pools decoded are the pools called, the amounts the same."""

import json
import lzma
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engine.chains.pending.decode import decode
from engine.chains.pending.intents import Intent, swaps_in
from engine.chains.pending.predict import predict
from engine.chains.pending.predictions import Outcome
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from tests.chains.pending.routers_there import ETHEREUM

FILE = Path(__file__).parents[2] / "data" / "chains" / "router_calls.jsonl.xz"
CALLS: list[dict[str, Any]] = [
    json.loads(line) for line in lzma.decompress(FILE.read_bytes()).splitlines()
]
TAXED = {"0x76790a60", "0xaf9dbc8c", "0x565c74da"}
"""These sold tokens that keep a part of each transfer; such tokens may not enter the graph."""
PAIRS = [call for call in CALLS if call["reserves"] and call["hash"][:10] not in TAXED]


class Reserves:
    """The pairs that a transaction found."""

    def __init__(self, reserves: dict[str, list[str]]) -> None:
        self._found = {
            address: (_pool(address), _state(int(raw[0]), int(raw[1])))
            for address, raw in reserves.items()
        }

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        return self._found.get(address)


def _pool(address: str) -> Pool:
    return Pool(
        chain="ethereum",
        protocol=Protocol.UNISWAP_V2,
        address=address,
        tokens=((AssetCode("A"), 18), (AssetCode("B"), 18)),
        fee_ratio=Decimal("0.003"),
        gas_units=100_000,
    )


def _state(reserve0: int, reserve1: int) -> ConstantProductState:
    return ConstantProductState.of(
        reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=Fraction(3, 1000)
    )


def decoded(call: dict[str, Any]) -> Intent:
    intent = decode(
        bytes.fromhex(call["input"][2:]),
        to=call["to"],
        sender=call["sender"],
        value_raw=int(call["value"]),
        routers=ETHEREUM,
    )
    assert intent is not None
    return intent


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["hash"][:10])
def test_the_pools_decoded_are_those_that_were_called(call: dict[str, Any]) -> None:
    intent = decoded(call)

    pools = [
        hop.pool
        for swap in swaps_in(intent.steps)
        for hop in (swap.hops if swap.is_exact_in or call["reserves"] else swap.hops[::-1])
    ]

    assert pools == [swap[0] for swap in call["swaps"]]


@pytest.mark.parametrize("call", PAIRS, ids=lambda call: call["hash"][:10])
def test_the_amounts_predicted_of_pairs_are_those_that_were_traded(call: dict[str, Any]) -> None:
    prediction = predict(decoded(call), Reserves(call["reserves"]), at_s=0)

    assert prediction.outcome is Outcome.MOVES
    outs = [
        (
            str(effect.amount_out_raw * effect.token_in),
            str(effect.amount_out_raw * (1 - effect.token_in)),
        )
        for effect in prediction.effects
    ]
    assert outs == [tuple(swap[1:]) for swap in call["swaps"]]


def test_more_is_predicted_of_a_token_that_keeps_a_part_of_each_transfer() -> None:
    for call in (call for call in CALLS if call["hash"][:10] in TAXED):
        prediction = predict(decoded(call), Reserves(call["reserves"]), at_s=0)

        given = max(int(raw) for raw in call["swaps"][0][1:])
        assert prediction.effects[0].amount_out_raw > given


@pytest.mark.parametrize("call", PAIRS, ids=lambda call: call["hash"][:10])
def test_a_call_whose_deadline_is_over_moves_nothing(call: dict[str, Any]) -> None:
    prediction = predict(decoded(call), Reserves(call["reserves"]), at_s=2**255)

    assert prediction.outcome is Outcome.REVERTS
    assert prediction.effects == ()
