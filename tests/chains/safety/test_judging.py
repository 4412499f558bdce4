"""What findings amount to."""

import pytest

from engine.chains.ports import BlockRef
from engine.chains.safety.judging import CURATED_HOLDS_S, HOLDS_S, Question, judge, looks_like
from engine.chains.safety.probed import Probed
from engine.domain.token_safety import (
    HARMLESS,
    TRUSTED_POWERS,
    Finding,
    Standing,
    Trait,
    Verdict,
)

AT = BlockRef(number=9, hash="0x" + "a" * 64, parent_hash="0x" + "b" * 64, made_at_s=1)
NOW_S = 1_000


def judged(
    *traits: Trait,
    taxes: tuple[int | None, int | None, int | None] = (0, 0, 0),
    symbol: str | None = "TOKEN",
    is_curated: bool = False,
    is_complete: bool = True,
) -> Verdict:
    question = Question(chain="base", token="0x" + "1" * 40, is_curated=is_curated, now_s=NOW_S)
    probed = Probed(
        is_complete=is_complete,
        why_not="" if is_complete else "too much of it",
        symbol=symbol,
        findings=tuple(Finding(one, "so") for one in traits),
        buy_tax_bps=taxes[0],
        transfer_tax_bps=taxes[1],
        sell_tax_bps=taxes[2],
    )
    return judge(question, AT, probed=probed)


def test_a_token_without_findings_is_safe_for_hours() -> None:
    verdict = judged()
    assert verdict.standing is Standing.SAFE
    assert verdict.until_s - verdict.judged_at_s == HOLDS_S[Standing.SAFE]
    assert (verdict.block_number, verdict.block_hash) == (AT.number, AT.hash)


@pytest.mark.parametrize("trait", [one for one in Trait if one not in HARMLESS])
def test_each_finding_that_is_not_harmless_refuses(trait: Trait) -> None:
    verdict = judged(trait)
    assert verdict.standing is Standing.REFUSED
    assert trait in {one.trait for one in verdict.reasons}


@pytest.mark.parametrize("trait", sorted(HARMLESS))
def test_what_is_harmless_is_told_and_refuses_nothing(trait: Trait) -> None:
    verdict = judged(trait)
    assert verdict.standing is Standing.SAFE
    assert [one.trait for one in verdict.warnings] == [trait]


@pytest.mark.parametrize("trait", list(Trait))
def test_of_a_curated_token_only_what_its_issuer_could_do_is_forgiven(trait: Trait) -> None:
    verdict = judged(trait, is_curated=True)
    is_forgiven = trait in TRUSTED_POWERS or trait in HARMLESS
    assert verdict.standing is (Standing.SAFE if is_forgiven else Standing.REFUSED)
    if is_forgiven:
        assert verdict.until_s - verdict.judged_at_s == CURATED_HOLDS_S
        assert [one.trait for one in verdict.warnings] == [trait]


@pytest.mark.parametrize("taxes", [(1, 0, 0), (0, 1, 0), (0, 0, 1), (3_000, 3_000, 3_000)])
def test_any_tax_keeps_a_token_out(taxes: tuple[int, int, int]) -> None:
    for is_curated in (False, True):
        verdict = judged(taxes=taxes, is_curated=is_curated)
        assert verdict.standing is Standing.TAXED
        assert not verdict.may_enter(NOW_S)
        assert [one.trait for one in verdict.reasons] == [Trait.TAXED] * sum(map(bool, taxes))


def test_what_takes_most_is_no_tax() -> None:
    assert judged(taxes=(0, 0, 3_001)).standing is Standing.REFUSED


@pytest.mark.parametrize("taxes", [(None, 0, 0), (0, None, 0), (0, 0, None)])
def test_what_was_not_measured_is_not_taken_for_nothing(
    taxes: tuple[int | None, int | None, int | None],
) -> None:
    assert judged(taxes=taxes).standing is Standing.UNKNOWN


def test_a_probe_that_came_to_no_end_proves_nothing_good() -> None:
    verdict = judged(is_complete=False)
    assert verdict.standing is Standing.UNKNOWN
    assert verdict.reasons[0].text == "too much of it"
    assert judged(Trait.SELL_FAILS, is_complete=False).standing is Standing.REFUSED


@pytest.mark.parametrize(
    "symbol", ["USDC", "usdc", "U.S.D.C", "USD\u0421", "\uff35\uff33\uff24\uff23", "U\u200bSDC"]
)
def test_whoever_looks_like_a_known_token_is_refused(symbol: str) -> None:
    assert looks_like(symbol, "base") == "USDC"
    assert judged(symbol=symbol).standing is Standing.REFUSED
    assert judged(symbol=symbol, is_curated=True).standing is Standing.SAFE


@pytest.mark.parametrize(
    "symbol", ["TOKEN", "USDX", "stUSDC", "USDT", "DAI", "", None, "\u5e01\u5b89"]
)
def test_other_names_are_nobodys_matter(symbol: str | None) -> None:
    assert judged(symbol=symbol).standing is Standing.SAFE


@pytest.mark.parametrize("symbol", ["<b>&", "A" * 500, "\u202eX", "\n\n", None])
def test_a_hostile_symbol_is_shown_plain_and_short(symbol: str | None) -> None:
    shown = judged(symbol=symbol).symbol
    assert 0 < len(shown) <= 12
    assert not set(shown) & set("<>&\n\u202e")
