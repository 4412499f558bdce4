"""A token is one text: under one head, by one key, with the claims that we write."""

import jwt
import msgspec
import pytest
from jwt.utils import base64url_encode

from bot.web.tokens import AUDIENCE, ISSUER, Claims, read_token, write_token

KEY = b"k" * 64
CLAIMS = Claims(sub="a", iat=1, exp=2**40, jti="b")
TOLD = msgspec.to_builtins(CLAIMS)


def signed(told: dict[str, object], **head: str) -> str:
    """Return a token by the very key, as the library writes it."""
    return jwt.encode(told, KEY, algorithm="HS256", headers=dict(head))


def test_what_is_written_is_read_by_us_and_by_the_library() -> None:
    token = write_token(CLAIMS, KEY)
    assert read_token(token, KEY) == CLAIMS
    assert jwt.decode(token, KEY, algorithms=["HS256"], audience=AUDIENCE, issuer=ISSUER) == TOLD
    assert read_token(signed(TOLD), KEY) == CLAIMS


@pytest.mark.parametrize(
    "token",
    [
        signed(TOLD, kid="1"),
        signed(TOLD, typ="at+jwt"),
        jwt.encode(TOLD, KEY, algorithm="HS512"),
        signed(TOLD | {"iss": "another"}),
        signed(TOLD | {"aud": "another"}),
        signed(TOLD | {"rank": "admin"}),
        signed({name: value for name, value in TOLD.items() if name != "exp"}),
        signed(TOLD | {"iat": "1"}),
        signed(TOLD).rpartition(".")[0] + ".",
        signed(TOLD) + "=",
        write_token(CLAIMS, b"j" * 32),
        f"{base64url_encode(b'{}').decode()}.{signed(TOLD).partition('.')[2]}",
        "é.é.é",
        "..",
        "",
    ],
)
def test_what_was_not_written_just_so_says_nothing(token: str) -> None:
    assert read_token(token, KEY) is None
