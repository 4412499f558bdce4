"""Worlds that were lived once are not lived again, and what all of them say is foretold rightly."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.domain.discoveries import Sums, Verdict
from tests.background.worlds_kept import HEAD, Came, Kept, Lived, verdict_of, write_row

SUMS = Sums(profit_usd=90.0, found=1_000, captured=30, cost_usd=12.0)


def lived(seed: int = 1, *, gain_usd: float = 0.5, spread_usd: float = 2.0) -> Lived:
    """A world of an hour: spans gain so much, and half of them so much more, or less."""
    return Lived(
        world="rivals",
        seed=seed,
        hours=1.0,
        pace=1.0,
        code="now",
        gains_usd=[gain_usd + spread_usd, gain_usd - spread_usd] * 15,
        given=SUMS,
        withheld=SUMS,
        runs={"one": 2},
        found={},
        acted={},
        missed={},
        cpu_s=1.0,
        openings=200,
        takes=100,
        took_s=60.0,
    )


def came(*worlds: Lived) -> Came:
    found = Came()
    for one in worlds:
        found.add(one)
    return found


def test_a_world_is_found_again_unless_it_was_of_other_code_or_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "worlds.jsonl"
    Kept(path, code="now").add(lived(1))
    Kept(path, code="now").add(replace(lived(2), code="before"))
    with path.open("ab") as file:
        file.write(b'{"world":"rivals","seed":3')
    Kept(path, code="now").add(lived(4))

    kept = Kept(path, code="now")

    found = [kept.find("rivals", seed, hours=1.0, pace=1.0) for seed in range(1, 5)]
    assert found == [lived(1), None, None, lived(4)]
    assert kept.find("control", 1, hours=1.0, pace=1.0) is None
    assert kept.find("rivals", 1, hours=2.0, pace=1.0) is None


def test_after_the_hours_that_were_foretold_it_is_told_and_an_hour_before_it_is_not() -> None:
    worlds = [lived(seed) for seed in range(1, 4)]
    missing_h = came(*worlds).hours_missing()
    assert missing_h is not None
    assert missing_h > 1

    def with_more(hours: float) -> Came:
        more = [lived(10 + seed) for seed in range(round(hours))]
        return came(*worlds, *more)

    assert with_more(missing_h).effect().verdict is Verdict.EARNS
    assert with_more(missing_h).hours_missing() == 0
    assert "not told" in verdict_of(with_more(missing_h - 1))


def test_nothing_is_foretold_of_few_seeds_or_of_a_gain_that_no_time_would_show() -> None:
    assert came(lived(1), lived(2)).hours_missing() is None
    assert came(*(lived(seed, gain_usd=0.0001) for seed in range(3))).hours_missing() is None


@pytest.mark.parametrize("times", [1, 2])
def test_a_world_has_one_row_of_the_page_whose_others_stay(tmp_path: Path, times: int) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{HEAD} with |\n|---|---|\n| `rivals`, seeds 1 | +1 |\n\nafter\n")

    for _ in range(times):
        write_row(page, "rivals", came(lived(7)), hours=1.0)

    lines = page.read_text().splitlines()
    assert lines[4] == "| `rivals`, seeds 1 | +1 |"
    assert lines[5].startswith("| `rivals`, as it is now: 1 seeds from 7 on, 1 h each | 90.00 USD")
    assert "(+" in lines[5] or "(-" in lines[5]
    assert lines[6:] == ["", "after"]
