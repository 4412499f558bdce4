"""Which token is probed when, and what holds meanwhile."""

import asyncio
from pathlib import Path

import pytest

from engine.chains.safety.judging import HOLDS_S
from engine.chains.safety.prober import Market
from engine.chains.safety.token_watch import RENEWED_AT, WANTED_MAX, TokenWatch, Wanted
from engine.chains.safety.verdict_store import VERDICTS_MAX, VerdictStore
from engine.domain.token_safety import Finding, Standing, Trait, Verdict
from tests.patience import PATIENCE_S

MARKET = Market("0x" + "1" * 40, "0x" + "2" * 40)
A, B, C = (f"0x{n:040x}" for n in range(10, 13))
LIFE_S = HOLDS_S[Standing.SAFE]


def verdict(token: str, standing: Standing, now_s: int) -> Verdict:
    return Verdict(
        chain="base",
        token=token,
        symbol="T",
        standing=standing,
        block_number=7,
        block_hash="0x" + "0" * 64,
        judged_at_s=now_s,
        until_s=now_s + HOLDS_S[standing],
        reasons=() if standing is Standing.SAFE else (Finding(Trait.NOT_PROBED, "so"),),
    )


class Bench:
    """A watch whose time stands still until it is moved, and a prober that says what it is told."""

    def __init__(self, directory: Path) -> None:
        self.now_s = 1_000_000.0
        self.hangs = False
        self.says: dict[str, Standing] = {}
        self.probed: list[str] = []
        self.curated: dict[str, bool] = {}
        self.told: list[Verdict] = []
        self.store = VerdictStore(directory, "base")
        self.watch = TokenWatch(
            prober=self, store=self.store, clock_s=lambda: self.now_s, told=self.told.append
        )

    async def verdict(self, token: str, market: Market, *, now_s: int, is_curated: bool) -> Verdict:
        assert market == MARKET
        self.curated[token] = is_curated
        self.probed.append(token)
        if self.hangs:
            await asyncio.Event().wait()
        return verdict(token, self.says.get(token, Standing.SAFE), now_s)

    def want(self, token: str, worth_usd: float = 1.0, *, is_curated: bool = False) -> None:
        self.watch.want(token, Wanted(worth_usd, MARKET, is_curated))

    async def settle(self) -> None:
        """Run until there is nothing to do but to wait."""
        self.watch.is_idle = False
        running = asyncio.create_task(self.watch.run())
        while not self.watch.is_idle:
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_what_most_depends_on_is_probed_first(bench: Bench) -> None:
    bench.want(A, 5.0)
    bench.want(B, 50.0)
    bench.want(C, 0.0, is_curated=True)

    await bench.settle()

    assert bench.probed == [C, B, A]
    assert bench.curated == {A: False, B: False, C: True}


async def test_a_token_without_a_verdict_may_not_enter(bench: Bench) -> None:
    bench.want(A)
    assert bench.watch.verdict_of(A) is None
    assert bench.watch.why_not(A)


@pytest.mark.parametrize("standing", [one for one in Standing if one is not Standing.SAFE])
async def test_only_a_safe_token_may_enter(bench: Bench, standing: Standing) -> None:
    bench.says[A] = standing
    bench.want(A)
    await bench.settle()
    assert bench.watch.why_not(A)


async def test_a_verdict_is_renewed_before_it_runs_out_and_not_sooner(bench: Bench) -> None:
    bench.want(A)
    await bench.settle()
    bench.now_s += LIFE_S * RENEWED_AT - 1
    await bench.settle()
    assert bench.probed == [A]

    bench.now_s += 1
    await bench.settle()

    assert bench.probed == [A, A]
    bench.now_s += LIFE_S - 1
    assert not bench.watch.why_not(A)


async def test_a_verdict_that_ran_out_lets_nothing_in_and_is_told(bench: Bench) -> None:
    bench.want(A)
    await bench.settle()
    bench.watch.want_no_more(A)
    bench.now_s += LIFE_S

    assert bench.watch.why_not(A)
    await bench.settle()
    assert [one.token for one in bench.told] == [A, A]


async def test_what_a_chain_is_paid_in_needs_no_probe(bench: Bench) -> None:
    assert not bench.watch.why_not("0x" + "0" * 40)


async def test_why_a_token_is_out_is_said(bench: Bench) -> None:
    assert bench.watch.why_not(A) == "not probed yet"
    bench.says[A] = Standing.REFUSED
    bench.want(A)
    await bench.settle()
    assert bench.watch.why_not(A) == "refused: so"
    bench.says[A] = Standing.SAFE
    bench.now_s += HOLDS_S[Standing.REFUSED]
    await bench.settle()
    bench.watch.want_no_more(A)
    bench.now_s += LIFE_S
    assert bench.watch.why_not(A) == "its verdict ran out"


async def test_a_clock_set_back_makes_no_verdict_valid(bench: Bench) -> None:
    bench.want(A)
    await bench.settle()
    bench.now_s -= 10
    assert bench.watch.why_not(A)


async def test_a_provider_that_is_away_takes_no_verdict_away_and_gives_none(bench: Bench) -> None:
    bench.want(A)
    await bench.settle()
    bench.says[A] = Standing.UNKNOWN
    bench.now_s += LIFE_S * RENEWED_AT
    await bench.settle()
    assert not bench.watch.why_not(A)

    bench.now_s += LIFE_S
    assert bench.watch.why_not(A)


async def test_what_runs_out_is_told_however_long_a_probe_takes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.chains.safety.token_watch.LOOK_S", 0.01)
    bench.want(A)
    await bench.settle()
    bench.hangs = True
    bench.want(B, 9.0)

    running = asyncio.create_task(bench.watch.run())
    async with asyncio.timeout(PATIENCE_S):
        while bench.probed != [A, B]:
            await asyncio.sleep(0)
        bench.now_s += LIFE_S
        while len(bench.told) < 2:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert [one.token for one in bench.told] == [A, A]
    assert bench.probed == [A, B]


async def test_a_full_disk_takes_no_verdict_away_and_ends_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "token-verdicts-base.json").mkdir()
    bench.want(A)
    await bench.settle()
    assert not bench.watch.why_not(A)
    assert bench.watch.unsaved_count == 1


async def test_what_cannot_be_probed_is_tried_ever_more_rarely(bench: Bench) -> None:
    bench.says[A] = Standing.UNKNOWN
    bench.want(A)
    gaps = []
    for _ in range(10):
        await bench.settle()
        began_s, count = bench.now_s, len(bench.probed)
        while len(bench.probed) == count:
            bench.now_s += 600
            await bench.settle()
        gaps.append(bench.now_s - began_s)
    assert gaps[:3] == [600, 1_200, 2_400]
    assert max(gaps) == 6 * 3_600


async def test_a_restart_probes_nothing_again_that_holds(bench: Bench, tmp_path: Path) -> None:
    bench.want(A)
    await bench.settle()

    again = Bench(tmp_path)
    again.want(A)
    await again.settle()

    assert again.probed == []
    assert not again.watch.why_not(A)


@pytest.mark.parametrize("content", [b"", b"{", b"[]x", b'[{"chain": 1}]', b"\xff" * 99])
async def test_a_damaged_file_costs_probes_and_lets_nothing_in(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "token-verdicts-base.json"
    path.write_bytes(content)

    bench = Bench(tmp_path)

    assert bench.store.damage
    assert bench.watch.why_not(A)
    assert path.with_name(path.name + ".unreadable").read_bytes() == content


@pytest.mark.parametrize("content", [b"{", None], ids=["malformed", "a folder"])
async def test_a_file_that_can_neither_be_read_nor_put_aside_lets_nothing_in_and_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "token-verdicts-base.json"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    (tmp_path / "token-verdicts-base.json.unreadable" / "full").mkdir(parents=True)

    bench = Bench(tmp_path)
    bench.want(A)
    before = bench.watch.why_not(A)
    said = bench.watch.trouble
    await bench.settle()

    assert before == "not probed yet"
    assert "could not be read" in said
    assert "put aside" in said
    assert not bench.watch.why_not(A)  # what was probed since stands
    assert bench.watch.unsaved_count == (0 if content else 1)
    assert bool(bench.watch.trouble) == (content is None)


async def test_verdicts_of_another_chain_are_not_ours(tmp_path: Path) -> None:
    other = verdict(A, Standing.SAFE, 1_000_000)
    VerdictStore(tmp_path, "base").save([other])
    (tmp_path / "token-verdicts-base.json").rename(tmp_path / "token-verdicts-bnb.json")
    assert VerdictStore(tmp_path, "bnb").load() == {}


async def test_no_more_is_wanted_and_kept_than_the_bounds(bench: Bench) -> None:
    for number in range(WANTED_MAX + 3):
        bench.want(f"0x{number:040x}")
    assert bench.watch.left_out_count == 3

    bench.store.save(
        verdict(f"0x{number:040x}", Standing.REFUSED, number) for number in range(VERDICTS_MAX + 5)
    )
    kept = bench.store.load()
    assert len(kept) == VERDICTS_MAX
    assert "0x" + "0" * 40 not in kept
