"""Questions to a venue: all of them make calls at every venue, and nothing in one makes another."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.domain.errors import BadValueError
from engine.domain.venue_orders import KeyRights
from engine.gateways.asks import (
    Ask,
    BalancesAsk,
    CancelAsk,
    FeesAsk,
    HoldOffAsk,
    LookUpAsk,
    OpenOrdersAsk,
    PlaceAsk,
    RightsAsk,
    StreamAsk,
    TradesAsk,
    calls_of,
)
from engine.gateways.calls import CallKind
from engine.gateways.rights import UNTOLD, why_no_trading_key
from tests.gateways.sample import Sample
from tests.gateways.sample_list import SAMPLES

of_each = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())


def asks(sample: Sample) -> list[Ask]:
    return [
        PlaceAsk(request=sample.request),
        CancelAsk(request=sample.request, venue_order_id="77"),
        LookUpAsk(request=sample.request, made_since_ms=1_790_000_000_000),
        OpenOrdersAsk(),
        TradesAsk(wire_name=sample.wire_name, since_ms=1_790_000_000_000),
        BalancesAsk(),
        FeesAsk(wire_names=(sample.wire_name,)),
        RightsAsk(),
        HoldOffAsk(),
        StreamAsk(wire_names=(sample.wire_name,)),
    ]


@of_each
def test_every_question_survives_the_wire_and_makes_calls_that_are_signed(sample: Sample) -> None:
    kinds = set()
    for ask in asks(sample):
        travelled = msgspec.msgpack.decode(msgspec.msgpack.encode(ask), type=Ask)
        assert travelled == ask
        for call in calls_of(travelled, sample.gateway):
            signed = sample.auth.sign(call, now_ms=1_790_000_000_000, nonce=1)
            assert signed.method == call.method
            assert sample.secret not in repr(signed)
            kinds.add(call.kind)

    assert {CallKind.PLACE, CallKind.CANCEL, CallKind.STREAM_KEY, CallKind.BALANCES} <= kinds


@of_each
@pytest.mark.parametrize(
    "name", ["../bitcoin_withdrawal", "a?b=c", "", "a b", "x" * 33, "a/../b", "é", "a\n"]
)
def test_a_name_that_could_lead_to_another_call_makes_none(sample: Sample, name: str) -> None:
    request = msgspec.structs.replace(sample.request, wire_name=name)
    for ask in (
        PlaceAsk(request=request),
        LookUpAsk(request=request, made_since_ms=0),
        TradesAsk(wire_name=name, since_ms=0),
        FeesAsk(wire_names=(name,)),
        StreamAsk(wire_names=(name,)),
    ):
        with pytest.raises(BadValueError, match="no name of an instrument"):
            calls_of(ask, sample.gateway)


def test_bitstamps_market_orders_are_not_reached_by_an_instruments_name() -> None:
    sample = SAMPLES["bitstamp"]
    request = msgspec.structs.replace(sample.request, wire_name="market/btcusd")

    with pytest.raises(BadValueError, match="no instrument of bitstamp"):
        calls_of(PlaceAsk(request=request), sample.gateway)


@pytest.mark.parametrize(
    "changes",
    [
        {"size_base": Decimal("1e999999")},
        {"price_limit": Decimal("1e-999999")},
        {"price_limit": Decimal("1e12")},
        {"size_base": Decimal("0.0000000000000000011")},
        {"wire_id": "a&b"},
        {"wire_id": "x" * 65},
        {"sent_before_ms": 10**30},
    ],
)
def test_numbers_and_ids_that_no_venue_takes_are_refused_before_they_are_written(
    changes: dict[str, Any],
) -> None:
    sample = SAMPLES["binance"]
    request = msgspec.structs.replace(sample.request, **changes)

    for ask in (PlaceAsk(request=request), CancelAsk(request=request, venue_order_id="1")):
        with pytest.raises(BadValueError):
            calls_of(ask, sample.gateway)


@pytest.mark.parametrize(
    ("rights", "is_vouched", "says"),
    [
        (KeyRights(may_read=True, may_trade=True, may_withdraw=False), False, ""),
        (KeyRights(may_read=True, may_trade=True, may_withdraw=True), False, "may withdraw"),
        (KeyRights(may_read=True, may_trade=True, may_withdraw=True), True, "may withdraw"),
        (UNTOLD, False, "does not say"),
        (UNTOLD, True, ""),
        (KeyRights(may_read=True, may_trade=False, may_withdraw=False), False, "may not trade"),
        (KeyRights(may_read=False, may_trade=True, may_withdraw=False), False, "may not read"),
    ],
)
def test_a_key_that_may_withdraw_is_refused_whoever_vouches_for_it(
    rights: KeyRights,
    is_vouched: bool,  # noqa: FBT001 - a row of the table above
    says: str,
) -> None:
    why = why_no_trading_key(rights, is_vouched=is_vouched)

    assert (why == "") == (says == "")
    assert says in why
