"""Gemini's signatures: the inputs and rule of its conformance fixtures, with known results."""

import base64

import msgspec
import pytest

from engine.domain.errors import SettingsError
from engine.gateways.answers import Page
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.gemini import GeminiAuth
from tests.gateways.sample_gemini import SAMPLE

KEY = VenueKey(name="conformance-api-key", secret="conformance-api-secret")

NEW_ORDER = (
    "38857dab833cca0b03cf264fe5326cf0112512a5fb05dba7e35633ce703b2ced"
    "38a6401e026c1e510b32a9e92d70e724"
)
STATUS = (
    "0d505be1f0f93e0ec23a9bb1adc932f7fe4aaa2e9da1a2fca0e78c2da4d2de5f"
    "29a0e08401a7dd43368c9386fda3bf7c"
)
UPGRADE = (
    "7f81f96295cafbec4e74bbc30cf54015d665b73a49bec7f7f310f52ed6271f92"
    "f86103c32ef8e72bb32da21a811446fe"
)


@pytest.mark.parametrize(
    ("payload", "signature"),
    [
        (
            base64.b64encode(
                b'{"request":"/v1/order/new","nonce":"1700000000000","symbol":"BTCUSD",'
                b'"amount":"0.01","price":"1000.00","side":"buy","type":"exchange limit"}'
            ),
            NEW_ORDER,
        ),
        (
            base64.b64encode(b'{"request":"/v1/order/status","nonce":1700000000001}'),
            STATUS,
        ),
        (
            b"MTcwMDAwMDAwMA==",
            UPGRADE,
        ),
    ],
)
def test_a_signature_is_that_of_the_fixture(payload: bytes, signature: str) -> None:
    assert GeminiAuth(KEY).signature(payload) == signature


def test_all_of_a_call_is_in_its_payload_and_its_number_above_the_one_before() -> None:
    auth = GeminiAuth(KEY)

    calls = [auth.sign(SAMPLE.gateway.open_orders(), now_ms=0, nonce=one) for one in (7, 8)]

    contents = [
        msgspec.json.decode(base64.b64decode(one.headers["X-GEMINI-PAYLOAD"])) for one in calls
    ]
    assert [int(one["nonce"]) for one in contents] == [7, 8]
    assert {one["request"] for one in contents} == {"/v1/orders"}
    assert all(one.body == b"" for one in calls)
    for one in calls:
        payload = one.headers["X-GEMINI-PAYLOAD"].encode()
        assert one.headers["X-GEMINI-SIGNATURE"] == auth.signature(payload)


def test_a_broken_trade_is_taken_back() -> None:
    body = (
        b'[{"price":"64000.00","amount":"0.3","timestamp":1478203017,"timestampms":1478203017455,'
        b'"type":"Buy","aggressor":true,"fee_currency":"USD","fee_amount":"7.68","tid":77,'
        b'"order_id":"18834","symbol":"BTCUSD","break":"manual"}]'
    )

    page = SAMPLE.gateway.trades_page(200, body)

    assert isinstance(page, Page)
    assert [trade.is_reversal for trade in page.items] == [True]


@pytest.mark.parametrize("secret", ["", "gänsefüsse"])
def test_what_is_no_secret_is_refused(secret: str) -> None:
    with pytest.raises(SettingsError):
        GeminiAuth(VenueKey(name="k", secret=secret))
