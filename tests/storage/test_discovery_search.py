"""Discoveries are found by their words, on both databases alike, and by what is like them."""

import pytest
from msgspec.structs import replace

from engine.bus.discovery_reports import DiscoveriesReport
from engine.bus.reports import Unknown
from engine.domain.likeness import features_of, likenesses
from engine.requests.discoveries import GetDiscoveries, GetSimilar
from engine.storage.discovery_words import words_of
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage.asking import ask
from tests.storage.conftest import Clock
from tests.storage.finding import TIPS, keep, load, run_of, tips

POOL = replace(
    TIPS,
    kind="liquidity",
    subject="uniswap_v3@base 0x4200AbCdEf",
    says="Café pool WETH-USDC holds 1.25M USD.",
    figures={"liquidity_usd": 1_250_000.0},
    advice=None,
)


FOUND = {
    "tip": ["base", "polygon"],
    "TIP polygon": ["polygon"],
    "poly gwei": ["polygon"],
    "olygon": [],
    "tip_model": ["base", "polygon"],
    "uniswap_v3": [POOL.subject],
    "0x4200abc": [POOL.subject],
    "cafe weth-usdc": [POOL.subject],
    "blocks 100..400": ["base", "polygon", POOL.subject],
    "nothing": [],
    '" OR 1=1 -- * NEAR(': [],
    "'); DROP TABLE discoveries; --": [],
    "x:* | !y & <->": [],
    "\N{CJK UNIFIED IDEOGRAPH-4E2D} \N{SNOWMAN}": [],
    "\x00\ud800": [],
    "tip " * 100_000: ["base", "polygon"],
    "x" * 1_000_000: [],
}


async def test_words_find_what_holds_all_of_them(settings: LedgerSettings, clock: Clock) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips(score=0.9), tips("polygon"), replace(POOL, score=0.5)))

        found = {
            words: [
                line.discovery.subject for line in await load(ledger, GetDiscoveries(words=words))
            ]
            for words in FOUND
        }

        assert found == FOUND


async def test_what_is_over_is_found_behind_what_is_in_force(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips(tip_gwei=0.02, score=1.0)))
        await keep(ledger, run_of(tips(tip_gwei=0.04, score=0.1), name="run-2"))

        lines = await load(ledger, GetDiscoveries(words="base", is_in_force=False))

        assert [line.discovery.figures["tip_gwei"] for line in lines] == [0.04, 0.02]


async def test_the_most_alike_come_first_each_kind_and_subject_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        (asked, *_) = await keep(
            ledger,
            run_of(
                tips("base", tip_gwei=0.02),
                tips("polygon", tip_gwei=30.0),
                tips("arbitrum", tip_gwei=0.021),
                POOL,
            ),
        )
        (newest,) = await keep(ledger, run_of(tips("polygon", tip_gwei=0.02), name="run-2"))

        report = await ask(ledger, GetSimilar(seq=asked.seq, limit=3), DiscoveriesReport)

        assert [line.discovery.subject for line in report.lines] == [
            "polygon",
            "arbitrum",
            POOL.subject,
        ]
        assert report.lines[0].seq == newest.seq  # not the earlier one of it
        assert 1 >= report.lines[0].likeness > report.lines[1].likeness > 0
        assert isinstance(await ledger.answer(GetSimilar(seq=99)), Unknown)


def test_figures_that_are_nearly_alike_are_more_alike_than_others() -> None:
    def vector(gas_gwei: float) -> dict[str, float]:
        return features_of((), {"gas_gwei": gas_gwei})

    same, near, far, below = likenesses(
        vector(30.0), [vector(30.0), vector(33.0), vector(3_000.0), vector(-30.0)]
    )

    assert same == pytest.approx(1.0)
    assert 1 > near > far == below == 0


def test_nothing_is_like_nothing() -> None:
    assert likenesses({}, [{}, {"a": 1.0}]) == [0.0, 0.0]


def test_words_are_small_letters_without_accents_and_digits() -> None:
    assert words_of("Café_No 1.5 WETH-USDC\N{ROMAN NUMERAL FOUR}") == [
        "cafe", "no", "1", "5", "weth", "usdciv",
    ]  # fmt: skip
