"""Openings of the page that Telegram did not sign, or not so: `python -m
tests.bot.web.forged_init_data --count 100000 --seed 1`.
"""

import argparse
import hashlib
import hmac
import json
import random
import string
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, quote, urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.web.init_data import InitData
from engine.domain.people import Person
from engine.domain.units import NS_PER_S
from tests.bot.conftest import Clock
from tests.bot.web.telegram_signs import BOT_ID, opened, page_terms, signed

_LETTERS = string.ascii_letters + string.digits + "%&=+-_.;\x00é \ud800"
_OTHERS_KEY = hmac.new(b"WebAppData", b"a token that was stolen", hashlib.sha256).digest()
_OTHERS = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)


def forged(now_s: int, count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Return kinds of forgery, each with a text that says something else than what was signed."""
    chance = random.Random(seed)
    good = opened(7, now_s)
    pairs = parse_qsl(good, keep_blank_values=True)
    said = {name: value for name, value in pairs if name not in {"hash", "signature"}}
    kinds: tuple[tuple[str, Callable[[], str]], ...] = (
        ("letter", lambda: _changed(good, chance)),
        ("cut", lambda: good[: chance.randrange(len(good))]),
        ("field", lambda: _encoded(_other_field(pairs, chance))),
        ("left out", lambda: _encoded(chance.sample(pairs, len(pairs) - 1))),
        ("twice", lambda: _encoded([*pairs, chance.choice(pairs)])),
        ("added", lambda: _encoded([*pairs, (_word(chance), _word(chance))])),
        ("other bot", lambda: signed(said, key=_OTHERS_KEY)),
        ("stolen token", lambda: signed({**said, "query_id": _word(chance)}, telegram=_OTHERS)),
        ("stranger", lambda: opened(chance.choice([0, 9, -7, 2**63]), now_s)),
        ("old", lambda: opened(7, now_s - chance.randint(301, 10**9))),
        ("ahead", lambda: opened(7, now_s + chance.randint(11, 10**9))),
        ("user", lambda: opened(7, now_s, user=_other_user(chance))),
        ("noise", lambda: "".join(chance.choices(_LETTERS, k=chance.randint(0, 300)))),
    )
    for number in range(count):
        name, make = kinds[number % len(kinds)]
        text = make()
        if _says(text) != _says(good):
            yield name, text


def _says(text: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(text, keep_blank_values=True))


def _changed(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chance.choice(_LETTERS) + text[at + 1 :]


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(string.ascii_lowercase + "_\n=", k=chance.randint(1, 9)))


def _other_field(pairs: list[tuple[str, str]], chance: random.Random) -> list[tuple[str, str]]:
    at = chance.randrange(len(pairs))
    name, value = pairs[at]
    made = chance.choice([value.upper(), value[:-1], value + "0", "", "7", value[::-1]])
    return [*pairs[:at], (name, made + " " if made == value else made), *pairs[at + 1 :]]


def _other_user(chance: random.Random) -> str:
    made = chance.choice(
        ['{"id":"7"}', '{"id":7.5}', '{"id":true}', "[7]", "7", "", "{}", '{"ID":7}', '{"id":7']
    )
    return made if chance.random() < 0.5 else json.dumps({"id": chance.randint(9, 2**60)})


def _encoded(pairs: list[tuple[str, str]]) -> str:
    return urlencode(pairs, quote_via=quote)


def let_in(count: int, seed: int) -> tuple[int, Counter[str], Counter[str]]:
    """Show forged openings; returns how many were shown and let in, by kind."""
    clock = Clock()
    doors = InitData(page_terms(bot_id=BOT_ID), clock)
    clock.advance(2_000_000)  # what is old was signed after the gateway began, mostly
    now_s = clock() // NS_PER_S
    assert isinstance(doors.judge(opened(7, now_s, query_id="good")), Person)
    shown: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for kind, text in forged(now_s, count, seed):
        shown[kind] += 1
        if isinstance(doors.judge(text), Person):
            wrong[kind] += 1
    return shown.total(), shown, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    total, shown, wrong = let_in(asked.count, asked.seed)
    print(f"{total:,} openings that Telegram did not sign so, {wrong.total()} let in")
    print(", ".join(f"{kind} {number:,}" for kind, number in sorted(shown.items())))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
