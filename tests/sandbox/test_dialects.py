"""Each dialect, seen by a client that knows the venue's documents only."""

from pathlib import Path

import pytest

from engine.sandbox.server import open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.sandbox.rig import FEEDS, connect, paused, seed_from_rest, until_true, write_small_lineup


@pytest.mark.parametrize(("venue", "feed"), list(FEEDS))
async def test_book_rebuilt_from_the_wire_equals_the_truth(venue: str, feed: str) -> None:
    async with open_sandbox(paused()) as sandbox, connect(sandbox, venue, feed) as link:
        await sandbox.play(0.45)
        await seed_from_rest(sandbox, venue, link)

        # Batches leave at whole tenths of a second; the play ends on one.
        await sandbox.play(0.05)
        await sandbox.play(10.0)

        await until_true(sandbox, venue, link)
        assert sum(book.updates for book in link.client.books.values()) > 30


@pytest.mark.parametrize(("venue", "feed"), list(FEEDS))
async def test_looping_keeps_books_right_and_sequences_whole(
    venue: str, feed: str, tmp_path: Path
) -> None:
    settings = paused(lineup_path=write_small_lineup(tmp_path))
    async with open_sandbox(settings) as sandbox, connect(sandbox, venue, feed) as link:
        await seed_from_rest(sandbox, venue, link)
        await sandbox.play(66)

        await until_true(sandbox, venue, link)
        cycles = [item.track.cycles for item in sandbox.stage.markets[venue].listings()]
        assert max(cycles) >= 2
        assert link.error is None


@pytest.mark.parametrize(("venue", "feed"), list(FEEDS))
async def test_client_that_comes_late_gets_the_book_of_that_moment(
    venue: str, feed: str, tmp_path: Path
) -> None:
    async with open_sandbox(paused(lineup_path=write_small_lineup(tmp_path))) as sandbox:
        await sandbox.play(17.25)
        async with connect(sandbox, venue, feed) as link:
            await seed_from_rest(sandbox, venue, link)
            await sandbox.play(5.05)
            await sandbox.play(0.1)

            await until_true(sandbox, venue, link)


async def test_all_venues_of_a_pair_start_from_one_price() -> None:
    async with open_sandbox(paused()) as sandbox:
        mids: dict[str, list[float]] = {}
        for venue, market in sandbox.stage.markets.items():
            for listing in market.listings():
                truth = sandbox.truth(venue, listing.wire_name)
                mid = (max(truth["bids"]) + min(truth["asks"])) / 2
                mids.setdefault(str(listing.instrument.pair), []).append(float(mid))

    assert len(mids) >= 5
    for pair, prices in mids.items():
        assert len(prices) >= 3, pair
        assert max(prices) / min(prices) < 1.0003, pair


async def test_running_by_itself_at_speed_the_books_stay_right() -> None:
    async with (
        open_sandbox(SandboxSettings(speed=40.0)) as sandbox,
        connect(sandbox, "coinbase", "level2") as coinbase,
        connect(sandbox, "gemini", "depth") as gemini,
    ):
        await coinbase.until(lambda: coinbase.client.frames > 3000)
        sandbox.pause()

        await until_true(sandbox, "coinbase", coinbase)
        await until_true(sandbox, "gemini", gemini)
        assert coinbase.client.heartbeats > 3


async def test_pausing_lets_unfinished_batches_reach_the_wire(tmp_path: Path) -> None:
    settings = paused(lineup_path=write_small_lineup(tmp_path))
    async with open_sandbox(settings) as sandbox, connect(sandbox, "gemini", "depth") as link:
        for _ in range(40):
            await sandbox.play(0.07)
            sandbox.pause()
            await until_true(sandbox, "gemini", link)
