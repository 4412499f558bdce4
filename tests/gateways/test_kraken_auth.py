"""Kraken's signatures equal the sample that it publishes; what it cannot take is refused here."""

import msgspec
import pytest

from engine.domain.errors import BadValueError, SettingsError
from engine.domain.venue_orders import TimeInForce
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.kraken import KrakenAuth
from tests.gateways.sample_kraken import SAMPLE, SECRET

PUBLISHED = (
    "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
)


def test_a_signature_is_that_of_the_published_sample() -> None:
    auth = KrakenAuth(VenueKey(name="k", secret=PUBLISHED))
    body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"

    signature = auth.signature("/0/private/AddOrder", 1_616_492_376_594, body)

    assert signature == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_the_number_stands_in_the_body_and_is_the_one_that_was_signed() -> None:
    auth = KrakenAuth(VenueKey(name="k", secret=SECRET))

    signed = auth.sign(SAMPLE.gateway.open_orders(), now_ms=0, nonce=7)

    assert signed.body.startswith(b"nonce=7")
    expected = auth.signature("/0/private/OpenOrders", 7, signed.body.decode())
    assert signed.headers["API-Sign"] == expected


def test_an_order_tells_the_venue_until_when_it_may_be_taken() -> None:
    asked = msgspec.structs.replace(SAMPLE.request, sent_before_ms=1_790_000_000_123)

    call = SAMPLE.gateway.place(asked)

    assert call.fields["deadline"] == "2026-09-21T14:13:20.123Z"


def test_an_order_that_says_no_latest_time_is_refused_before_anything_is_signed() -> None:
    asked = msgspec.structs.replace(SAMPLE.request, sent_before_ms=0)

    with pytest.raises(BadValueError):
        SAMPLE.gateway.place(asked)


def test_all_or_nothing_is_refused_before_anything_is_signed() -> None:
    with pytest.raises(BadValueError):
        SAMPLE.gateway.place(SAMPLE.asked(TimeInForce.FILL_OR_KILL))


def test_a_report_of_a_live_order_that_leaves_its_side_out_says_nothing() -> None:
    frame = (
        b'{"channel":"executions","type":"update","sequence":5,"data":[{"order_id":"O",'
        b'"exec_type":"new","order_status":"new","timestamp":"2026-11-30T08:00:00Z"}]}'
    )

    assert len(SAMPLE.gateway.streamed(frame)) == 1


@pytest.mark.parametrize("secret", ["", "not base64!", "gänsefüsse"])
def test_what_is_no_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SettingsError) as caught:
        KrakenAuth(VenueKey(name="k", secret=secret))

    assert not secret or secret not in str(caught.value)
