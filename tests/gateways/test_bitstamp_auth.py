"""Bitstamp's signatures: a vector of a public client's tests, and what stands in the text."""

import pytest

from engine.domain.errors import SettingsError
from engine.domain.opportunities import Side
from engine.gateways.answers import Page
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.bitstamp import HOST, BitstampAuth
from tests.gateways.sample_bitstamp import SAMPLE


def test_a_signature_is_that_of_the_public_vector() -> None:
    auth = BitstampAuth(VenueKey(name="XXX", secret="XXX"))

    signature = auth.signature(
        "BITSTAMP XXXPOSTtest.test-api.com/api/v2/buy/ethusd/"
        "application/x-www-form-urlencoded1231499827318559v2side=0"
    )

    expected = "6DCA01A0817446CBC44CD792EF743262A7342A15C2DF805BC89D30DBE099EEFA"
    assert signature == expected.lower()


def test_all_that_goes_out_is_in_the_signed_text() -> None:
    auth = BitstampAuth(VenueKey(name="k", secret="s"))

    signed = auth.sign(SAMPLE.gateway.place(SAMPLE.request), now_ms=1_640_000_000_000, nonce=7)

    nonce = signed.headers["X-Auth-Nonce"]
    text = (
        f"BITSTAMP kPOST{HOST}{signed.target}{signed.headers['Content-Type']}{nonce}"
        f"1640000000000v2{signed.body.decode()}"
    )
    assert signed.headers["X-Auth-Signature"] == auth.signature(text)
    assert len(nonce) == 36
    assert nonce == nonce.lower()


def test_a_call_that_asks_for_nothing_has_a_body_all_the_same() -> None:
    signed = SAMPLE.auth.sign(SAMPLE.gateway.open_orders(), now_ms=1, nonce=1)

    assert signed.body


def test_trades_are_told_from_deposits_and_by_the_sign_of_what_was_bought() -> None:
    body = (
        b'[{"id":1,"type":"0","datetime":"2026-11-30 08:00:00","btc":"1.0","usd":"0"},'
        b'{"id":77,"type":"2","datetime":"2026-11-30 08:00:00","btc":"-0.3","usd":"19200.0",'
        b'"btc_usd":"64000.0","fee":"7.68","order_id":5,"eur":0.0}]'
    )

    page = SAMPLE.gateway.trades_page(200, body)

    assert isinstance(page, Page)
    (trade,) = page.items
    assert (trade.trade_id, trade.side, str(trade.size_base)) == ("77", Side.SELL, "0.3")
    assert trade.wire_name == "btcusd"


@pytest.mark.parametrize("secret", ["", "gänsefüsse"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(SettingsError):
        BitstampAuth(VenueKey(name="k", secret=secret))
