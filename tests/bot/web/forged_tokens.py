"""Tokens that nobody was given: `python -m tests.bot.web.forged_tokens --count 100000 --seed 1`."""

import argparse
import json
import random
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from jwt.utils import base64url_decode, base64url_encode

from bot.web.sessions import Principal, Sessions
from engine.domain.people import Rank
from tests.bot.conftest import Clock

_LETTERS = string.ascii_letters + string.digits + "-_.=+/ \x00é"
_VALUES: tuple[object, ...] = (None, 0, -1, 2**63, "", "admin", [], {}, 1e308, True)


def forged(token: str, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Return kinds of forgery, each with a text that is not the token."""
    chance = random.Random(seed)
    head, body, signature = token.split(".")
    claims = json.loads(base64url_decode(body))
    kinds: tuple[tuple[str, Callable[[], str]], ...] = (
        ("letter", lambda: _changed(token, chance)),
        ("cut", lambda: token[: chance.randrange(len(token))]),
        ("longer", lambda: token + chance.choice(_LETTERS) * chance.randint(1, 3)),
        ("parts", lambda: ".".join(chance.sample([head, body, signature], 3))),
        ("claim", lambda: f"{head}.{_encoded(_with(claims, chance))}.{signature}"),
        ("signed anew", lambda: _signed(_with(claims, chance), chance)),
        ("unsigned", lambda: f"{_encoded({'alg': 'none'})}.{_encoded(_with(claims, chance))}."),
        ("noise", lambda: "".join(chance.choices(_LETTERS, k=chance.randint(0, 300)))),
    )
    for number in range(count):
        name, make = kinds[number % len(kinds)]
        text = make()
        if text != token:
            yield name, text


def _changed(token: str, chance: random.Random) -> str:
    at = chance.randrange(len(token))
    return token[:at] + chance.choice(_LETTERS) + token[at + 1 :]


def _with(claims: dict[str, object], chance: random.Random) -> dict[str, object]:
    name = chance.choice([*claims, "rank", "kid"])
    return {**claims, name: chance.choice(_VALUES)}


def _encoded(claims: Mapping[str, object]) -> str:
    return base64url_encode(json.dumps(claims).encode()).decode()


def _signed(claims: dict[str, object], chance: random.Random) -> str:
    head = _encoded({"alg": chance.choice(["HS256", "HS512", "none", "RS256"]), "typ": "JWT"})
    return f"{head}.{_encoded(claims)}.{base64url_encode(chance.randbytes(32)).decode()}"


def let_in(count: int, seed: int) -> tuple[int, Counter[str], Counter[str]]:
    """Show forged tokens; returns how many were shown and let in, by kind."""
    sessions = Sessions(lambda _key: Rank.ADMIN, Clock())
    who = Principal(name="a", key_id="k", rank=Rank.ADMIN)
    token = sessions.begin(who).access
    assert sessions.principal(token) is not None
    shown: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for kind, text in forged(token, count, seed):
        shown[kind] += 1
        if sessions.principal(text) is not None:
            wrong[kind] += 1
    return shown.total(), shown, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    total, shown, wrong = let_in(asked.count, asked.seed)
    print(f"{total:,} tokens that nobody was given, {wrong.total()} let in")
    print(", ".join(f"{kind} {number:,}" for kind, number in sorted(shown.items())))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
