"""The screen of what transactions cost: every state of a chain in words, narrow enough."""

from decimal import Decimal

from msgspec.structs import replace

from bot.render.gas import render_gas
from bot.render.plain import write_plain
from bot.render.screen import WIDTH, Lines
from engine.bus.gas_report import GasLine
from engine.domain.assets import AssetCode
from tests.bot import samples


def rows(*lines: GasLine) -> list[str]:
    screen = render_gas(replace(samples.gas(), chains=list(lines)))
    return [row for block in screen.blocks if isinstance(block, Lines) for row in block.lines]


def test_gas_bytes_the_own_asset_and_the_age_of_each_chain_are_shown() -> None:
    base, ethereum, _ = samples.gas().chains

    assert rows(base, ethereum) == [
        "base 0.01→0.0101 gwei $0.02",
        "  L1 $0.01, ETH $2,686, 812 ms old",
        "ethereum 10.4→11.25 gwei $7.25",
        "  ETH $2,686, 3.4 s old",
    ]


def test_why_a_chain_cannot_be_paid_is_said() -> None:
    line = samples.gas().chains[1]

    assert rows(replace(line, too_old="gas of ethereum was told 71 s ago", age_ms=71_000)) == [
        "ethereum 10.4→11.25 gwei $7.25",
        "  1 m 11 s old: too old, no plan",
    ]
    assert rows(samples.gas().chains[2]) == [
        "polygon 10.4→11.25 gwei",
        "  no price of POL: in no route",
    ]
    assert rows(replace(line, gwei=None)) == [
        "ethereum no price of gas",
        "  its pools are in no route",
    ]
    assert rows(replace(line, age_ms=None, now_gwei=None)) == [
        "ethereum 11.25 gwei $7.25",
        "  ETH $2,686, assumed",
    ]


def test_the_title_counts_the_chains_that_can_be_paid() -> None:
    line = samples.gas().chains[1]
    screen = render_gas(replace(samples.gas(), chains=[line, replace(line, too_old="x")]))
    nothing = render_gas(replace(samples.gas(), chains=[]))

    assert "1 of 2 chains" in screen.title
    assert "No chain has a pool" in write_plain(nothing)


def test_the_widest_figures_fit_a_phone() -> None:
    line = replace(
        samples.gas().chains[0],
        chain="optimism",
        native=AssetCode("ETH"),
        gwei=Decimal("0.0010012345"),
        now_gwei=Decimal("0.0010001234"),
        native_usd=Decimal("12685.50"),
        data_usd=Decimal("0.00123"),
        route_usd=Decimal("12.3456"),
        age_ms=59_999,
    )

    assert max(map(len, rows(line))) <= WIDTH
