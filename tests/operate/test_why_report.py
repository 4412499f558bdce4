"""`/why` of open and closed routes, from a core built as the engine builds it."""

import asyncio

import pytest

from engine.bus.reports import PlaceShare, SplitNow, WhyReport
from engine.domain.faults import Fault
from engine.domain.opportunities import HopKind
from engine.ports import Applied, LevelForm
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from tests.reference.run_core import make_reports, make_run_core
from tests.reference.world import START_NS, Levels, make_instrument, write_side

VENUES = ("a", "b", "c")
ETH = 2_685.5
"""Where the sandbox's pools stand."""


class Run:
    """Three books of ETH-USDC, one that values ETH, and the sandbox's pools."""

    def __init__(self) -> None:
        instruments = [
            *(make_instrument(venue, "ETH-USDC", lot="0.0001") for venue in VENUES),
            make_instrument("a", "ETH-USD"),
        ]
        self.core = make_run_core(instruments, load_pools(load_start_prices()))
        self.at_ns = START_NS
        self.reports = make_reports(self.core)
        self.show(3, [(f"{ETH - 1}", "5")], [(f"{ETH + 1}", "5")])

    def show(self, book: int, bids: Levels, asks: Levels) -> None:
        self.at_ns += 1_100_000_000
        applied = self.core.board.replace(
            book, LevelForm.PAIRS, write_side(bids), write_side(asks), self.at_ns
        )
        assert applied is Applied.OK
        self.core.hot_path.tick(self.at_ns)

    def show_gap(self) -> None:
        """Let book 1 be dear, and books 0 and 2 as cheap as the pools."""
        self.show(2, [(f"{ETH - 3}", "5")], [(f"{ETH}", "4")])
        self.show(0, [(f"{ETH - 3}", "5")], [(f"{ETH - 1}", "5")])
        self.show(1, [(f"{ETH + 50}", "9"), (f"{ETH + 40}", "900")], [(f"{ETH + 60}", "5")])

    def close_gap(self) -> None:
        self.show(1, [(f"{ETH - 3}", "9")], [(f"{ETH + 60}", "5")])

    def gap_id(self) -> str:
        """Return the open gap from book 0 to book 1."""
        return next(
            episode.opportunity_id
            for episode in self.core.detector.open_episodes
            if [(hop.kind, hop.row) for hop in episode.first.hops]
            == [(HopKind.BOOK, 0), (HopKind.BOOK, 1)]
        )

    async def why(self, opportunity_id: str) -> WhyReport:
        report = await self.reports.why(opportunity_id, self.at_ns)
        assert report is not None
        return report


def shares_of(now: SplitNow | None) -> list[dict[str, PlaceShare]]:
    assert now is not None
    return [{f"{part.venue} {part.place}": part for part in leg} for leg in now.legs]


async def test_an_open_gap_is_told_with_its_legs_shared_among_books_and_pools() -> None:
    run = Run()
    run.show_gap()

    why = await run.why(run.gap_id())

    assert why.line.is_open
    assert why.exact_now is None, "a gap's exact figures are those of its plan"
    bought, sold = shares_of(why.split_now)
    assert {"a ETH-USDC", "c ETH-USDC", "uniswap_v3@ethereum USDC-ETH 0.05 %"} <= set(bought)
    assert set(sold) == {"b ETH-USDC"}
    assert bought["c ETH-USDC"].amount_out == 4
    assert sum(part.share_ratio for part in bought.values()) == pytest.approx(1)
    assert why.split_now is not None
    assert why.split_now.profit_quote > why.split_now.more_quote > 0


async def test_a_route_that_is_closed_is_not_shared_though_another_like_it_is_open() -> None:
    run = Run()
    run.show_gap()
    before = run.gap_id()
    run.close_gap()
    run.show_gap()

    assert run.gap_id() != before
    assert (await run.why(run.gap_id())).split_now is not None
    assert (await run.why(before)).split_now is None


async def test_the_end_of_a_route_whose_book_was_lost_is_told_as_that() -> None:
    run = Run()
    run.show_gap()
    lost = run.gap_id()

    run.core.board.invalidate(1, Fault.DISCONNECTED, run.at_ns)
    run.core.hot_path.tick(run.at_ns)

    why = await run.why(lost)
    assert not why.line.is_open
    assert why.ended == "a book or pool of it was lost or grew too old"


async def test_frames_are_taken_while_shares_are_looked_for_and_may_end_the_route() -> None:
    run = Run()
    run.show_gap()
    asked = asyncio.create_task(run.why(run.gap_id()))
    await asyncio.sleep(0)  # the question is begun, and gives way
    assert not asked.done()

    run.close_gap()

    report = await asked
    assert not report.line.is_open
    assert report.split_now is None
