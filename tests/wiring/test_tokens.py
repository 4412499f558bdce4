"""Which tokens pools want, where each is bought, and what is answered of them."""

from pathlib import Path

import pytest

from engine.chains.discovery.found import FoundPool
from engine.chains.safety.token_watch import TokenWatch
from engine.chains.safety.verdict_store import VerdictStore
from engine.domain.chains import CHAINS
from engine.domain.dexes import Dex
from engine.domain.modes import Basis
from engine.domain.pools import Protocol
from engine.domain.token_safety import Finding, Standing, Trait, Verdict
from engine.domain.tokens import NATIVE_ADDRESS
from engine.requests.token import TOKENS_MAX
from engine.wiring.token_answer import token_report
from engine.wiring.token_wants import TokenWants

WRAPPED = CHAINS["base"].wrapped_native
MOON = "0x9d2f8a3e5b7c1d4e6f80a1b2c3d4e5f60718293a"
TOLL = "0x1b7e4c5d6f8091a2b3c4d5e6f708192a3b4c5d6e"
FACTORY = "0x" + "f" * 40
NOW_S = 1_000_000


def pool(number: int, *tokens: str, protocol: Protocol = Protocol.UNISWAP_V2) -> FoundPool:
    dex = Dex(name="One", chain="base", protocol=protocol, factory=FACTORY)
    return FoundPool(dex=dex, address=f"0x{number:040x}", tokens=tokens, block=1)


class Never:
    """A prober that nobody asks here."""

    async def verdict(self, *_: object, **__: object) -> Verdict:
        raise AssertionError


def verdict(token: str, standing: Standing, *, symbol: str = "MOON", age_s: int = 60) -> Verdict:
    return Verdict(
        chain="base",
        token=token,
        symbol=symbol,
        standing=standing,
        block_number=1,
        block_hash="",
        judged_at_s=NOW_S - age_s,
        until_s=NOW_S - age_s + 3_600,
        reasons=() if standing is Standing.SAFE else (Finding(Trait.SELL_FAILS, "no"),),
    )


@pytest.fixture
def watch(tmp_path: Path) -> TokenWatch:
    return made(tmp_path)


def made(folder: Path, *kept: Verdict) -> TokenWatch:
    store = VerdictStore(folder, "base")
    store.save(kept)
    return TokenWatch(prober=Never(), store=store, clock_s=lambda: NOW_S, told=lambda _: None)


def test_a_pool_of_a_token_without_a_verdict_is_out_and_wants_one(watch: TokenWatch) -> None:
    wants = TokenWants(watch)
    wants.begin_round()
    assert wants.why_not(pool(1, MOON, WRAPPED), 50.0)
    wants.end_round()
    assert watch.is_wanted(MOON)
    assert watch.is_wanted(WRAPPED)


def test_a_pool_is_in_once_all_its_tokens_are_safe(tmp_path: Path) -> None:
    safe = [verdict(token, Standing.SAFE) for token in (MOON, WRAPPED)]
    wants = TokenWants(made(tmp_path, *safe))
    assert not wants.why_not(pool(1, MOON, WRAPPED), 50.0)
    assert not wants.why_not(pool(1, MOON, NATIVE_ADDRESS), 50.0)
    assert TOLL in wants.why_not(pool(2, MOON, TOLL), 50.0)


def test_a_token_is_bought_where_it_can_be_swapped_for_a_known_one(watch: TokenWatch) -> None:
    wants = TokenWants(watch)
    wants.begin_round()
    wants.why_not(pool(1, MOON, TOLL), 9_000.0)
    wants.why_not(pool(2, MOON, WRAPPED, protocol=Protocol.UNISWAP_V4), 900.0)
    wants.why_not(pool(3, MOON, WRAPPED), 90.0)
    wants.why_not(pool(4, MOON, WRAPPED), 9.0)
    wants.end_round()
    wanted = watch.wanted_of(MOON)
    assert wanted is not None
    assert wanted.market.pool == pool(3).address
    assert wanted.market.counter == WRAPPED
    assert wanted.worth_usd == 9_999.0
    assert not wanted.is_curated


def test_a_token_that_only_a_vault_holds_is_taken_from_there(watch: TokenWatch) -> None:
    wants = TokenWants(watch)
    wants.begin_round()
    wants.why_not(pool(2, NATIVE_ADDRESS, MOON, protocol=Protocol.UNISWAP_V4), 900.0)
    wants.end_round()
    wanted = watch.wanted_of(MOON)
    assert wanted is not None
    assert wanted.market.pool == FACTORY
    assert not watch.is_wanted(NATIVE_ADDRESS)


def test_a_token_whose_pools_are_gone_is_wanted_no_more(watch: TokenWatch) -> None:
    wants = TokenWants(watch)
    for pools in ((pool(1, MOON, WRAPPED), pool(2, TOLL, WRAPPED)), (pool(2, TOLL, WRAPPED),)):
        wants.begin_round()
        for one in pools:
            wants.why_not(one, 1.0)
        wants.end_round()
    assert not watch.is_wanted(MOON)
    assert watch.is_wanted(TOLL)


def test_a_round_that_broke_off_counts_for_nothing(watch: TokenWatch) -> None:
    wants = TokenWants(watch)
    wants.begin_round()
    wants.why_not(pool(1, MOON, WRAPPED), 5.0)
    wants.begin_round()
    wants.why_not(pool(1, MOON, WRAPPED), 5.0)
    wants.end_round()
    wanted = watch.wanted_of(MOON)
    assert wanted is not None
    assert wanted.worth_usd == 5.0


@pytest.mark.parametrize("name", [MOON, MOON.upper().replace("X", "x"), "moon", "5b7c1d", MOON[:9]])
def test_a_token_is_found_by_address_symbol_and_part(tmp_path: Path, name: str) -> None:
    watch = made(
        tmp_path,
        verdict(MOON, Standing.REFUSED),
        verdict(TOLL, Standing.SAFE, symbol="TOLL"),
    )
    report = token_report({"base": watch}, name, basis=Basis.SANDBOX)
    assert [line.token for line in report.found] == [MOON]
    assert report.counts == {Standing.REFUSED: 1, Standing.SAFE: 1}


@pytest.mark.parametrize("name", ["0x", "9d2", "nothing", "' OR 1", "0x" + "0" * 40])
def test_what_names_nothing_finds_nothing(tmp_path: Path, name: str) -> None:
    watch = made(tmp_path, verdict(MOON, Standing.REFUSED))
    assert token_report({"base": watch}, name, basis=Basis.SANDBOX).found == []


def test_an_answer_is_bounded_and_says_of_how_many(tmp_path: Path) -> None:
    many = [verdict(f"0x{number:040x}", Standing.REFUSED) for number in range(1, TOKENS_MAX + 6)]
    report = token_report({"base": made(tmp_path, *many)}, "", basis=Basis.SANDBOX)
    assert len(report.found) == TOKENS_MAX
    assert report.found_count == TOKENS_MAX + 5
    assert not token_report({}, "", basis=Basis.SANDBOX).found


def test_a_verdict_that_ran_out_counts_for_nothing(tmp_path: Path) -> None:
    watch = made(tmp_path, verdict(MOON, Standing.SAFE, age_s=4_000))
    report = token_report({"base": watch}, "moon", basis=Basis.SANDBOX)
    assert report.counts == {}
    assert report.found[0].why_not == "its verdict ran out"
