"""The screens of discoveries: each with its effect and age, in words, narrow enough."""

import io

import pytest
from msgspec.structs import replace
from PIL import Image

from bot.charts import ChartDrawer
from bot.render.discoveries import (
    figure,
    learned_words,
    make_panels,
    render_discoveries,
    render_discovery,
    render_evidence,
)
from bot.render.plain import write_plain
from bot.render.screen import WIDTH, Lines
from engine.bus.discovery_reports import DiscoveryReport
from engine.domain.discoveries import Learned, Verdict
from engine.domain.discovery_kinds import KINDS
from engine.requests.discoveries import GetDiscoveries
from tests.bot import discovery_samples
from tests.bot.conftest import Chat
from tests.bot.discovery_samples import TIPS


def report(seq: int) -> DiscoveryReport:
    found = discovery_samples.one(seq)
    assert isinstance(found, DiscoveryReport)
    return found


def rows(wanted: GetDiscoveries) -> list[str]:
    screen = render_discoveries(discovery_samples.found(wanted), asked=wanted.words)
    return [row for block in screen.blocks if isinstance(block, Lines) for row in block.lines]


def test_each_is_told_with_its_main_figure_its_effect_and_its_age() -> None:
    assert rows(GetDiscoveries()) == [
        "#12 Tips of a chain: base",
        "  0.024 gwei, +$1.57/h, 2 m 50 s",
        "#9 Pattern of success: ETH-USD",
        "  coinbase>gemini 14h",
        "  78%, unmeasured, 1 h 0 m",
        "#11 Liquidity of a pool:",
        "  uniswap_v3@ethereum 0x88e6…5640",
        "  $184,210,000.00, unproven, 29 s",
    ]


def test_what_is_over_says_why() -> None:
    assert rows(GetDiscoveries(words="tips", is_in_force=False))[2:] == [
        "#4 Tips of a chain: polygon",
        "  31 gwei, no effect, 33 m 20 s",
    ]
    replaced = replace(discovery_samples.LINES[0], ended="replaced", ended_at_ns=1)
    listed = replace(discovery_samples.found(GetDiscoveries()), lines=[replaced])
    assert "2 m 50 s, replaced" in " ".join(write_plain(render_discoveries(listed)).split())


def test_one_is_told_with_what_was_earned_with_and_without_it() -> None:
    told = write_plain(render_discovery(report(12)))

    assert "9 of 10 blocks of base" in told
    assert "+$1.57, 95%: +$0.69 to" in told
    assert "$41.20, 71 of 96 taken" in told
    assert "$38.06, 64 of 96 taken" in told
    assert "input 81204 of run r7" in told
    assert "no more: no effect" in write_plain(render_discovery(report(4)))


def test_one_says_what_was_otherwise_because_of_it() -> None:
    found = report(12)
    assert found.line.use is not None
    use = replace(found.line.use, changed="a bid")
    told = write_plain(render_discovery(replace(found, line=replace(found.line, use=use))))

    assert "changed a bid" in " ".join(told.split())


def test_its_evidence_is_its_figures_what_it_rests_on_and_its_run() -> None:
    (block,) = render_evidence(report(12)).blocks

    assert isinstance(block, Lines)
    assert block.lines == (
        "tip 0.024 gwei",
        "included 90%",
        "skill 31%",
        "base blocks 31245100..31245678",
        "578 blocks, 9,412 tips",
        "run tips-12",
    )


def test_figures_are_told_in_the_unit_of_their_name() -> None:
    assert [
        figure(name, 1234.5)
        for name in ("x_usd", "x_usd_hour", "x_bps", "x_gwei", "x_ms", "x_s", "x_count", "x")
    ] == ["$1,234.50", "+$1,234.50/h", "1,234 bps", "1,234 gwei", "1,234 ms", "1,234 s", "1,234",
          "1,234"]  # fmt: skip
    assert figure("x_ratio", 0.123456) == "12.3%"


def test_what_was_learned_on_a_day_is_one_line() -> None:
    assert learned_words(discovery_samples.counts().learned()) == (
        "43 (31 tip model, 9 liquidity …), 22 used, 9 changed; 2 earns, 1 no effect +$2.04/h"
    )
    assert learned_words(Learned()) == "nothing"
    assert learned_words(Learned(kinds={"bridge": 1}, effects={Verdict.TOO_LITTLE.value: 1})) == (
        "1 (1 bridge), 0 used, 0 changed; no effect measured yet"
    )


def test_the_longest_words_and_the_widest_figures_fit_a_phone() -> None:
    wide = replace(
        TIPS,
        seq=10**9,
        discovery=replace(
            TIPS.discovery,
            kind=max(KINDS, key=lambda kind: len(kind.title)).name,
            subject="W" * 100,
            figures={"tip_gwei": -1e15},
        ),
        task="t" * 100,
    )
    listed = replace(discovery_samples.found(GetDiscoveries()), lines=[wide])
    screens = (
        render_discoveries(listed),
        render_discovery(replace(report(12), line=wide)),
        render_evidence(replace(report(12), line=wide)),
    )

    for screen in screens:
        for block in screen.blocks:
            if isinstance(block, Lines):
                assert max(map(len, block.lines)) <= WIDTH
    assert all(len(kind.title) <= 24 for kind in KINDS)


async def test_its_figures_over_time_are_a_picture() -> None:
    panels = make_panels(report(12))
    assert panels is not None
    assert [name for name, _ in panels.panels] == ["tip 0.024 gwei", "included 90%", "skill 31%"]
    once = replace(report(9), points=report(9).points[-1:])
    alone = make_panels(once)
    assert alone is not None

    drawn = Image.open(io.BytesIO(await ChartDrawer(cache_directory=None).draw(alone)))
    assert drawn.size == (1080, 1350)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/discoveries", "Discoveries: 3 in force"),
        ("/discoveries 12", "#12 Tips of a chain: base"),
        ("/discoveries #12 evidence", "base blocks 31245100..31245678"),
        ("/discoveries 12 similar", "0x88e6…5640"),
        ("/discoveries liquidity", "1 found: liquidity"),
        ("/discoveries 77", "No discovery #77 is kept"),
        ("/discoveries 77 similar", "No discovery #77 is kept"),
        ("/discoveries 77 chart", "No discovery #77 is kept"),
    ],
)
async def test_the_command_finds_one_alike_ones_a_kind_and_says_what_is_not_kept(
    chat: Chat, line: str, said: str
) -> None:
    async with chat.start():
        assert said in await chat.say(line)
