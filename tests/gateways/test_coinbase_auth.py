"""Coinbase's tokens: equal to what its official client's key signs, and verified by their key."""

import base64

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from engine.domain.errors import SettingsError
from engine.gateways.coinbase.gateway import CoinbaseGateway
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.coinbase import CoinbaseAuth
from tests.gateways.sample_coinbase import SAMPLE, SEED

NAME = "organizations/test-organization/apiKeys/test-api-key"


def test_a_token_by_ed25519_is_that_of_the_public_vector() -> None:
    auth = CoinbaseAuth(VenueKey(name=NAME, secret=SEED))

    token = auth.token(
        uri="POST api.coinbase.com/api/v3/brokerage/orders",
        now_s=1_700_000_000,
        nonce="00112233445566778899aabbccddeeff",
    )

    assert token.endswith(
        ".y6pCVNXnurHSVE9ndFSeHGpUkTgWa2L3_Il2Fn6BAsg7ZVJMnPLacBmGc5TSdo8QIC-W69dhqDV-MAxkRsWOBA"
    )


def test_a_token_by_p256_is_verified_by_its_public_key_and_ends_after_two_minutes() -> None:
    private = generate_private_key(SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    auth = CoinbaseAuth(VenueKey(name=NAME, secret=pem.decode().replace("\n", "\\n")))

    token = auth.token(uri="GET api.coinbase.com/x", now_s=1_700_000_000, nonce="ab")

    claims = jwt.decode(
        token,
        private.public_key(),
        algorithms=["ES256"],
        options={"verify_exp": False, "verify_nbf": False},
    )
    assert claims["exp"] == 1_700_000_120
    assert claims["uri"] == "GET api.coinbase.com/x"
    assert jwt.get_unverified_header(token)["nonce"] == "ab"


def test_the_same_order_again_has_the_same_bytes_and_another_token() -> None:
    call = CoinbaseGateway().place(SAMPLE.request)

    first = SAMPLE.auth.sign(call, now_ms=1_000, nonce=1)
    again = SAMPLE.auth.sign(call, now_ms=2_000, nonce=2)

    assert first.body == again.body
    assert first.headers["Authorization"] != again.headers["Authorization"]


def test_what_is_signed_names_the_path_without_its_query() -> None:
    call = SAMPLE.gateway.open_orders()

    signed = SAMPLE.auth.sign(call, now_ms=1_000, nonce=1)

    token = signed.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["uri"] == "GET api.coinbase.com/api/v3/brokerage/orders/historical/batch"
    assert "order_status=OPEN&order_status=PENDING" in signed.target


@pytest.mark.parametrize("secret", ["", "????", base64.b64encode(b"short").decode(), "-----BEGIN"])
def test_what_is_no_key_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SettingsError) as caught:
        CoinbaseAuth(VenueKey(name=NAME, secret=secret))

    assert not secret or secret not in str(caught.value)
