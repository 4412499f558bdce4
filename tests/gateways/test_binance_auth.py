"""Binance's signatures equal the vectors of its own documents (rest-api.md, fix-api.md)."""

import pytest

from engine.domain.errors import SettingsError
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.binance import BinanceAuth, signer_of

SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
ORDER = (
    "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000"
    "&timestamp=1499827319559"
)
PEM = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n"
    "-----END PRIVATE KEY-----\n"
)


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        (
            f"symbol=LTCBTC&{ORDER}",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        ),
        (
            f"symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&{ORDER}",
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
        (
            "timestamp=1578963600000",
            "d84e6641b1e328e7b418fff030caed655c266299c9355e36ce801ed14631eed4",
        ),
    ],
)
def test_an_hmac_is_that_of_the_venues_document(text: str, signature: str) -> None:
    assert signer_of(VenueKey(name="k", secret=SECRET))(text.encode()) == signature


def test_an_ed25519_signature_is_that_of_the_venues_document() -> None:
    sign = signer_of(VenueKey(name="k", secret=PEM))

    assert sign(b"A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223") == (
        "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="
    )


@pytest.mark.parametrize("secret", ["", "gänsefüsse", "-----BEGIN PRIVATE KEY-----\nx\n"])
def test_what_is_no_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SettingsError) as caught:
        BinanceAuth(VenueKey(name="k", secret=secret))

    assert not secret or secret not in str(caught.value)
