"""How chains are followed, and which pools, on the phone."""

import pytest
from msgspec.structs import replace

from bot.render.chains import render_chain, render_chains, render_pools
from bot.render.screen import Lines, Screen, monospace_rows
from engine.bus.chain_reports import ChainsReport
from engine.bus.hooked import HookFigures, HookLine
from engine.domain.modes import Basis
from engine.requests.chains import GetPools
from tests.bot import chain_samples
from tests.bot.conftest import Chat

REPORT = chain_samples.chains()
POOLS = chain_samples.pools(GetPools())


def _rows(screen: Screen) -> str:
    return "\n".join(
        row for block in screen.blocks if isinstance(block, Lines) for row in monospace_rows(block)
    )


async def test_a_chain_in_trouble_says_which_and_what_is_stale_and_who_is_not_believed(
    chat: Chat,
) -> None:
    async with chat.start():
        text = await chat.say("/chains ethereum")

    for said in ("do not agree", "31 stale", "quarantined", "1 of 2 nodes"):
        assert said in text
    assert "stale 30: its state could not be" in _rows(render_chain(REPORT, REPORT.chains[1]))


def test_how_much_of_what_was_confirmed_ahead_came_is_said_where_anything_was() -> None:
    base = REPORT.chains[0]
    assert "told ahead" not in _rows(render_chain(REPORT, base))
    ahead = replace(base, ahead=1_204, ahead_kept=1_190)
    rows = " ".join(_rows(render_chain(REPORT, ahead)).split())
    assert "1,204 events told ahead, 1,190 of them came so" in rows


async def test_a_chain_that_is_not_followed_is_said_so_with_those_that_are(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/chains polygon")

    assert "polygon is not followed" in text
    assert "base, ethereum" in text


@pytest.mark.parametrize(
    ("line", "is_in", "is_not"),
    [
        ("/pools ethereum", "ethereum 0x88e6…5640", "base"),
        ("/pools aerodrome_v2", "Aerodrome", "Uniswap"),
        ("/pools stale", "stale: its state", "Aerodrome"),
        ("/pools 2", "Pools: 2 live", "Uniswap"),
        ("/pools", "Left out for a token: 1, see /pools unsafe", "MOON"),
        ("/pools unsafe", "MOON-WETH 0.30 % $50,000", "Aerodrome"),
        ("/pools unsafe", "0x1f98…f984: refused: it cannot", "stale"),
        ("/pools nowhere_v9", "No pool of nowhere_v9", "Uniswap"),
    ],
)
async def test_pools_are_narrowed_by_chain_dex_staleness_and_page(
    chat: Chat, line: str, is_in: str, is_not: str
) -> None:
    async with chat.start():
        text = await chat.say(line)

    assert is_in in text
    assert is_not not in text


def test_without_a_chain_it_is_said_what_to_set() -> None:
    screen = render_chains(ChainsReport(basis=Basis.LIVE, chains=[]))

    assert "SYNDICATE_CHAINS_PROVIDERS" in str(screen.blocks)


def test_a_chain_before_its_first_block_is_not_well() -> None:
    line = REPORT.chains[0]
    early = ChainsReport(
        basis=Basis.SANDBOX,
        chains=[
            type(line)(**{**{f: getattr(line, f) for f in line.__struct_fields__}, "head": None})
        ],
    )

    assert "0 of 1" in render_chains(early).title
    assert "in trouble" in render_chain(early, early.chains[0]).title


def test_screens_of_chains_fit_a_phone() -> None:
    for screen in (
        render_chains(REPORT),
        *(render_chain(REPORT, one) for one in REPORT.chains),
        render_pools(POOLS, of=""),
        render_pools(chain_samples.pools(GetPools(is_unsafe=True)), of="unsafe"),
    ):
        assert all(len(row) <= 36 for row in _rows(screen).splitlines())


def test_how_each_webhook_is_stands_on_its_chain() -> None:
    base = REPORT.chains[0]
    assert "webhook" not in _rows(render_chain(REPORT, base))
    line = HookLine(
        stream="pools",
        told=1_204,
        wrong=3,
        missing=2,
        ahead=900,
        triggers=7,
        age_s=4.0,
        is_doubted=True,
        gaps=1,
        gap_blocks=12,
        lag_ms={"p50": 1_400.0, "p99": 3_020.0},
        figures=HookFigures(
            stream="pools", provider="moralis", duplicates=1_199, forged=5, refused=1, old=2
        ),
    )
    rows = " ".join(_rows(render_chain(REPORT, replace(base, hooks=[line]))).split())
    for said in (
        "webhook pools 4.0 s ago",
        "not believed: wrong too often",
        "1,204 told, 3 wrong, 2 missing",
        "900 ahead of nodes, 7 large swaps",
        "1400 ms after the block, p99 3020",
        "12 blocks left out",
        "1,199 told again, 5 forged",
        "1 refused, 0 not readable, 2 old",
    ):
        assert said in rows
