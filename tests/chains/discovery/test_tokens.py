"""What tokens say of themselves is text by strangers; what cannot be reckoned with is refused."""

import string as letters
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.discovery.cache_file import open_cache
from engine.chains.discovery.token_desk import TokenDesk, TokenFacts
from engine.chains.discovery.token_texts import decimals_of, text_of
from engine.chains.ports import Reader
from engine.domain.chains import CHAINS
from engine.domain.errors import BadValueError
from engine.domain.tokens import CURATED, NATIVE_ADDRESS
from tests.chains.discovery.answering import answering, number, proxy_of, string
from tests.chains.discovery.on_node import on_node
from tests.chains.discovery.saying import AT, Saying
from tests.chains.local_world import LocalWorld

PLAIN = set(letters.ascii_letters + letters.digits + letters.punctuation + " ")


def desk(path: Path, reader: Reader, chain: str = "ethereum") -> TokenDesk:
    cache = open_cache(path, chain_id=1)
    return TokenDesk(facts=CHAINS[chain], reader=reader, cache=cache)


@given(st.binary(max_size=400) | st.none())
def test_any_answer_gives_a_short_plain_text(answer: bytes | None) -> None:
    text = text_of(answer)

    assert len(text) <= 32
    assert set(text) <= PLAIN


@given(st.binary(max_size=200))
def test_any_answer_gives_decimals_that_can_be_reckoned_with_or_is_refused(answer: bytes) -> None:
    with suppress(BadValueError):
        assert 1 <= decimals_of(answer) <= 24


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (string(b"USDC"), "USDC"),
        (b"MKR".ljust(32, b"\0"), "MKR"),
        (string(b"A" * 10_000), "A" * 32),
        (string("USD₮0".encode()), "USD???0"),
        (string(b"<b>PEPE</b>\n/kill"), "<b>PEPE</b>?/kill"),
        (string("\u202eCDSU".encode()), "???CDSU"),
        (string(b""), ""),
        (b"", ""),
        (None, ""),
        (number(32), ""),
        (number(32) + number(2**255) + b"USDC", "USDC"),
        (number(2**255) + number(4) + b"USDC", ""),
        (number(32) + number(4), ""),
        (b"\xff" * 32, "?" * 32),
    ],
)
def test_a_symbol_is_read_as_far_as_it_is_plain(answer: bytes | None, text: str) -> None:
    assert text_of(answer) == text


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "does not say"),
        (b"", "does not say"),
        (b"\x12", "does not say"),
        (number(18) + b"\0", "does not say"),
        (string(b"18"), "does not say"),
        (number(0), "decimals are 0"),
        (number(25), "decimals are 25"),
        (number(255), "decimals are 255"),
        (number(2**256 - 1), "a number of 78 digits"),
    ],
)
def test_decimals_that_cannot_be_are_refused_by_name(answer: bytes | None, why: str) -> None:
    with pytest.raises(BadValueError, match=why):
        decimals_of(answer)


async def test_tokens_of_a_real_node_are_known_or_refused_by_name(
    world: LocalWorld, tmp_path: Path
) -> None:
    hands = world.hands()
    good = answering(
        hands, {"symbol()": string(b"GOOD"), "name()": string(b"Good"), "decimals()": number(9)}
    )
    made = {
        "good": good,
        "proxy": proxy_of(hands, good),
        "old": answering(hands, {"symbol()": b"OLD".ljust(32, b"\0"), "decimals()": number(18)}),
        "nameless": answering(hands, {"decimals()": number(18)}),
        "long": answering(hands, {"symbol()": string(b"L" * 10_000), "decimals()": number(6)}),
        "without decimals": answering(hands, {"symbol()": string(b"NONE")}),
        "absurd": answering(hands, {"symbol()": string(b"ABS"), "decimals()": number(255)}),
        "no contract": "0x" + "12" * 20,
        "precompiled": "0x" + "2".rjust(40, "0"),
    }
    hands.flush()

    async with on_node(world.world.http_url) as chain:
        tokens = desk(tmp_path / "a", chain.reader)
        facts = await tokens.facts_of(made.values(), await chain.head())

    said = {name: facts[address] for name, address in made.items()}
    assert {name: (one.symbol, one.decimals) for name, one in said.items() if not one.refusal} == {
        "good": ("GOOD", 9),
        "proxy": ("GOOD", 9),
        "old": ("OLD", 18),
        "nameless": ("", 18),
        "long": ("L" * 32, 6),
    }
    assert tokens.asset(said["good"]) == f"GOOD@ethereum:{good}"
    assert tokens.asset(said["long"]) == f"{'L' * 12}@ethereum:{said['long'].address}"
    assert tokens.asset(said["nameless"]) == f"@ethereum:{said['nameless'].address}"
    assert {name: one.refusal for name, one in said.items() if one.refusal} == {
        "without decimals": "it does not say its decimals",
        "absurd": "its decimals are 255; 1 to 24 can be",
        "no contract": "it does not say its decimals",
        "precompiled": "its decimals are a number of 76 digits; 1 to 24 can be",
    }


async def test_tokens_of_the_local_world_are_known(world: LocalWorld, tmp_path: Path) -> None:
    async with on_node(world.world.http_url) as chain:
        facts = await desk(tmp_path / "a", chain.reader).facts_of(
            [token.address for token in world.made.tokens], await chain.head()
        )

    assert {one.address: (one.symbol, one.decimals, one.refusal) for one in facts.values()} == {
        token.address: (token.symbol, token.decimals, "") for token in world.made.tokens
    }


async def test_a_token_is_asked_once_and_known_to_the_next_process(tmp_path: Path) -> None:
    reader, address = Saying(), "0x" + "11" * 20
    reader.token(address, symbol=string(b"ONE"), decimals=number(6))
    first = await desk(tmp_path / "a", reader).facts_of([address, address], AT)
    asked = reader.calls

    again = await desk(tmp_path / "a", reader).facts_of([address], AT)

    assert first == again
    assert reader.calls == asked == 3


async def test_a_token_that_was_refused_is_asked_again_by_the_next_process_alone(
    tmp_path: Path,
) -> None:
    reader, address = Saying(), "0x" + "11" * 20
    tokens = desk(tmp_path / "a", reader)
    assert (await tokens.facts_of([address], AT))[address].refusal
    asked = reader.calls
    reader.token(address, symbol=string(b"ONE"), decimals=number(6))

    assert (await tokens.facts_of([address], AT))[address].refusal
    assert reader.calls == asked
    assert not (await desk(tmp_path / "a", reader).facts_of([address], AT))[address].refusal


async def test_a_token_whose_decimals_change_is_refused_from_then_on(tmp_path: Path) -> None:
    reader, turned, same = Saying(), "0x" + "11" * 20, "0x" + "22" * 20
    for address in (turned, same):
        reader.token(address, symbol=string(b"ONE"), decimals=number(6))
    tokens = desk(tmp_path / "a", reader)
    await tokens.facts_of([turned, same], AT)
    reader.token(turned, symbol=string(b"ONE"), decimals=number(18))

    changed = await tokens.changed([turned, same, NATIVE_ADDRESS], AT)

    why = "it had 6 decimals and has 18 now"
    assert [(facts.address, facts.refusal) for facts in changed] == [(turned, why)]
    with pytest.raises(BadValueError, match=why):
        tokens.asset(tokens.known([turned])[turned])


async def test_a_token_of_the_table_that_says_other_decimals_is_refused(tmp_path: Path) -> None:
    reader = Saying()
    usdc = next(address for address, (code, _) in CURATED["ethereum"].items() if code == "USDC")
    reader.token(usdc.lower(), symbol=string(b"USDC"), decimals=number(18))

    facts = await desk(tmp_path / "a", reader).facts_of([usdc.lower()], AT)

    assert facts[usdc.lower()].refusal == "USDC on ethereum has 6 decimals, not 18"


@pytest.mark.parametrize(("chain", "asset"), [("ethereum", "ETH"), ("bnb", "BNB")])
async def test_the_chains_own_coin_is_asked_of_nobody(
    tmp_path: Path, chain: str, asset: str
) -> None:
    reader = Saying()
    tokens = desk(tmp_path / "a", reader, chain)

    facts = (await tokens.facts_of([NATIVE_ADDRESS], AT))[NATIVE_ADDRESS]

    assert (tokens.asset(facts), facts.decimals, reader.calls) == (asset, 18, 0)


def test_a_refused_token_is_no_asset(tmp_path: Path) -> None:
    facts = TokenFacts(
        address="0x" + "11" * 20, symbol="A", name="", decimals=0, refusal="bad", block=1
    )

    with pytest.raises(BadValueError, match="bad"):
        desk(tmp_path / "a", Saying()).asset(facts)
