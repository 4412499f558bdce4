"""Discoveries are kept once, the newest of a kind and subject holds, and only while it may."""

import math

import pytest
from msgspec.structs import replace
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.discovery_reports import Became, DiscoveryCounts, EffectKept, Use
from engine.bus.records import Appended
from engine.bus.reports import Unknown
from engine.domain.discoveries import FOUND_MAX, Discovery, Verdict
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.requests.discoveries import (
    CountDiscoveries,
    GetDiscoveries,
    GetDiscovery,
    KeepChange,
    KeepEffect,
    KeepUse,
)
from engine.storage import discovery_store
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from engine.storage.tables.background import discoveries
from tests.storage.asking import ask
from tests.storage.conftest import Clock
from tests.storage.finding import TIPS, effect, keep, load, load_one, run_of, tips
from tests.storage.makers import DAY_NS, NOW_NS, SECOND_NS


async def counts(ledger: Ledger) -> DiscoveryCounts:
    return await ask(ledger, CountDiscoveries(), DiscoveryCounts)


async def test_a_discovery_comes_back_as_it_was_found_also_after_a_restart(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        (kept,) = await keep(ledger, run_of(TIPS))
    async with open_ledger(settings, clock=clock) as ledger:
        (line,) = await load(ledger)

    assert kept.became is Became.NEW
    assert (line.seq, line.discovery, line.task, line.agent) == (
        kept.seq,
        TIPS,
        "tips",
        "base_analyst",
    )
    assert (line.task_run, line.found_at_ns, line.seen_count) == ("run-1", NOW_NS, 1)
    assert line.expires_at_ns == NOW_NS + 600 * SECOND_NS


async def test_a_run_that_is_told_twice_is_kept_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        first = await keep(ledger, run_of(tips(), tips("polygon")))
        again = await keep(ledger, run_of(tips(), tips("polygon")))
        await keep(ledger, run_of(tips(), name="run-2"))
        await keep(ledger, run_of(tips(), name="run-2"))
        lines = await load(ledger)

    assert again == first
    assert {line.discovery.subject: line.seen_count for line in lines} == {"base": 2, "polygon": 1}


async def test_the_same_found_again_only_holds_longer(
    settings: LedgerSettings, clock: Clock
) -> None:
    later_ns = NOW_NS + 60 * SECOND_NS
    moved = replace(TIPS, score=0.9, evidence=("base blocks 130..430",))
    async with open_ledger(settings, clock=clock) as ledger:
        (first,) = await keep(ledger, run_of(TIPS))
        clock.now_ns = later_ns
        (again,) = await keep(ledger, run_of(moved, name="run-2", at_ns=later_ns))
        (line,) = await load(ledger, GetDiscoveries(is_in_force=False))

    assert (again.became, again.seq) == (Became.AGAIN, first.seq)
    assert (line.discovery, line.found_at_ns, line.seen_at_ns) == (moved, NOW_NS, later_ns)
    assert line.expires_at_ns == later_ns + 600 * SECOND_NS


async def test_a_new_one_of_a_kind_and_subject_replaces_and_the_old_stays_as_history(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips(tip_gwei=0.02)))
        clock.now_ns += SECOND_NS
        (kept,) = await keep(ledger, run_of(tips(tip_gwei=0.03), name="run-2", at_ns=clock.now_ns))
        in_force = await load(ledger)
        everything = await load(ledger, GetDiscoveries(is_in_force=False))
        report = await load_one(ledger, kept.seq)

    assert kept.became is Became.REPLACED
    assert [line.seq for line in in_force] == [kept.seq]
    assert [(line.seq, line.ended) for line in everything] == [(kept.seq, ""), (1, "replaced")]
    assert [(one.at_ns, one.figures) for one in report.points] == [
        (NOW_NS, {"tip_gwei": 0.02}),
        (NOW_NS + SECOND_NS, {"tip_gwei": 0.03}),
    ]


async def test_an_older_result_that_comes_late_replaces_nothing(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        (newer,) = await keep(ledger, run_of(tips(tip_gwei=0.03)))
        late = run_of(tips(tip_gwei=0.02), name="run-0", at_ns=NOW_NS - 30 * SECOND_NS)
        (older,) = await keep(ledger, late)
        lines = await load(ledger)

    assert (older.became, [line.seq for line in lines]) == (Became.OVER, [newer.seq])


async def test_a_clock_that_ran_ahead_makes_nothing_hold_longer_and_holds_nothing_up(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips(tip_gwei=0.02), at_ns=NOW_NS + 365 * DAY_NS))
        (line,) = await load(ledger)
        clock.now_ns -= DAY_NS  # and then it is set back
        (kept,) = await keep(ledger, run_of(tips(tip_gwei=0.03), name="b", at_ns=clock.now_ns))

    assert line.expires_at_ns == NOW_NS + 600 * SECOND_NS
    assert kept.became is Became.REPLACED


async def test_what_has_expired_is_not_in_force_and_is_replaced_all_the_same(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips()))
        clock.now_ns += 600 * SECOND_NS
        assert await load(ledger) == []
        (kept,) = await keep(ledger, run_of(tips(tip_gwei=1.0), name="2", at_ns=clock.now_ns))
        (late,) = await keep(ledger, run_of(tips("polygon"), name="3"))

        assert kept.became is Became.REPLACED
        assert late.became is Became.OVER  # found so long ago that it holds no more
        assert [line.discovery.subject for line in await load(ledger)] == ["base"]


async def test_discoveries_of_the_sandbox_and_of_live_markets_are_apart(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips(), basis=Basis.SANDBOX))
        (kept,) = await keep(ledger, run_of(tips(tip_gwei=2.0), name="2", basis=Basis.LIVE))

        assert kept.became is Became.NEW
        assert {line.basis for line in await load(ledger)} == {Basis.SANDBOX, Basis.LIVE}


HOSTILE = {
    "unknown kind": replace(TIPS, kind="spell"),
    "huge kind": replace(TIPS, kind="k" * 10_000_000),
    "no subject": replace(TIPS, subject=" "),
    "huge text": replace(TIPS, says="x" * 5_000_000),
    "a line break": replace(TIPS, says="one\ntwo"),
    "turned text": replace(TIPS, subject="base\N{RIGHT-TO-LEFT OVERRIDE}"),
    "zero character": replace(TIPS, says="x\x00y"),
    "half a character": replace(TIPS, says="x\ud800y"),
    "not a number": replace(TIPS, figures={"tip_gwei": math.nan}),
    "infinite": replace(TIPS, figures={"tip_gwei": -math.inf}),
    "absurd figure": replace(TIPS, figures={"tip_gwei": 1e300}),
    "absurd name": replace(TIPS, figures={"Tip in gwei": 1.0}),
    "many figures": replace(TIPS, figures={f"f{number}": 1.0 for number in range(1_000)}),
    "score above one": replace(TIPS, score=1.01),
    "score below zero": replace(TIPS, score=-0.01),
    "no score": replace(TIPS, score=math.nan),
    "holds for ever": replace(TIPS, holds_s=math.inf),
    "holds not": replace(TIPS, holds_s=0.0),
    "much evidence": replace(TIPS, evidence=("e",) * 1_000),
    "long evidence": replace(TIPS, evidence=("e" * 100_000,)),
}


async def test_hostile_discoveries_are_refused_and_counted_and_void_no_other(
    settings: LedgerSettings, clock: Clock
) -> None:
    found = [*HOSTILE.values(), TIPS]
    async with open_ledger(settings, clock=clock) as ledger:
        verdicts = await keep(ledger, run_of(*found))
        counted = await counts(ledger)
        lines = await load(ledger, GetDiscoveries(is_in_force=False))

    *refused, kept = verdicts
    became = dict(zip(HOSTILE, refused, strict=True))
    assert {name: one.became for name, one in became.items()} == dict.fromkeys(
        HOSTILE, Became.REFUSED
    )
    assert all(len(one.why) <= 100 for one in refused)
    assert (kept.became, [line.discovery for line in lines]) == (Became.NEW, [TIPS])
    assert sum(counted.refused.values()) == len(HOSTILE)
    assert counted.refused["unknown kind"] == 2


UNNAMED = (
    replace(run_of(TIPS), task=""),
    replace(run_of(TIPS), agent="a" * 1_000),
    replace(run_of(TIPS), task_run="a\nb"),
    replace(run_of(TIPS), at_ns=-1),
    replace(run_of(TIPS), at_ns=2**70),
)


async def test_a_run_that_cannot_be_named_is_refused_whole(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        for run in UNNAMED:
            with pytest.raises(BadValueError):
                await ledger.answer(run)
        assert await load(ledger) == []


async def test_of_a_run_that_finds_too_much_the_rest_is_left_out_and_counted(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        found = [tips(f"chain{number}") for number in range(FOUND_MAX + 7)]
        report = await ledger.answer(run_of(*found))

        assert (len(report.verdicts), report.left_out) == (FOUND_MAX, 7)
        assert (await counts(ledger)).left_out == 7


async def test_more_than_fit_gives_way_by_worth_and_is_counted(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery_store, "IN_FORCE_MAX", 2)
    async with open_ledger(settings, clock=clock) as ledger:
        verdicts = await keep(
            ledger,
            run_of(
                tips("a", score=0.5),
                tips("b", score=0.9),
                tips("c", score=0.1),
                tips("d", score=0.7),
            ),
        )
        lines = await load(ledger)

        assert [one.became for one in verdicts] == [
            Became.NEW,
            Became.NEW,
            Became.LEFT_OUT,
            Became.NEW,
        ]
        assert [line.discovery.subject for line in lines] == ["b", "d"]
        assert (await counts(ledger)).left_out == 2


async def test_history_goes_by_age_and_then_by_worth_and_what_had_an_effect_goes_last(
    settings: LedgerSettings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery_store, "KEPT_MAX", 2)
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips("a", score=0.9), tips("b", score=0.1), tips("c", score=0.5)))
        await ledger.answer(KeepEffect(seq=2, effect=effect(Verdict.EARNS)))
        assert await ledger.discoveries.prune(old_at_ns=0) == 0  # all are in force
        clock.now_ns += 600 * SECOND_NS
        assert await ledger.discoveries.prune(old_at_ns=0) == 1
        kept = await load(ledger, GetDiscoveries(is_in_force=False))
        found = await load(ledger, GetDiscoveries(is_in_force=False, words="c"))
        clock.now_ns += DAY_NS
        assert await ledger.discoveries.prune(old_at_ns=clock.now_ns) == 2
        assert await ledger._writer.transact(_count_words) == 0

        assert [(line.discovery.subject, line.ended) for line in kept] == [
            ("a", "expired"),
            ("b", "expired"),
        ]
        assert found == []
        assert await load(ledger, GetDiscoveries(is_in_force=False)) == []
        assert (await counts(ledger)).pruned == 3


async def _count_words(connection: AsyncConnection) -> int:
    count: int = (
        await connection.execute(text("SELECT count(*) FROM discovery_words"))
    ).scalar_one()
    return count


async def test_a_discovery_is_linked_to_the_input_that_it_became(
    settings: LedgerSettings, clock: Clock
) -> None:
    use = Use(run_id="run1", input_seq=812, at_ns=NOW_NS)
    async with open_ledger(settings, clock=clock) as ledger:
        (kept,) = await keep(ledger, run_of(TIPS))
        for told in (use, use, replace(use, input_seq=900)):
            await ask(ledger, KeepUse(seq=kept.seq, use=told), Appended)
        (line,) = await load(ledger)
        (kind,) = (await counts(ledger)).kinds

        assert (line.use, line.uses_count) == (replace(use, input_seq=900), 2)
        assert (kind.kind, kind.kept, kind.used) == ("tip_model", 1, 1)
        assert isinstance(await ledger.answer(KeepUse(seq=99, use=use)), Unknown)


async def test_what_was_otherwise_because_of_a_discovery_is_kept_once_and_counted(
    settings: LedgerSettings, clock: Clock
) -> None:
    use = Use(run_id="run1", input_seq=812, at_ns=NOW_NS)
    async with open_ledger(settings, clock=clock) as ledger:
        kept = await keep(ledger, run_of(TIPS, tips("arbitrum")))
        first, second = (one.seq for one in kept)
        await ask(ledger, KeepUse(seq=first, use=use), Appended)
        for what in ("a bid", "an order"):
            await ask(ledger, KeepChange(seq=first, what=what), Appended)
        for told in (use, replace(use, input_seq=900)):
            await ask(ledger, KeepUse(seq=first, use=told), Appended)
        await ask(ledger, KeepUse(seq=second, use=use), Appended)
        line = (await load_one(ledger, first)).line
        (kind,) = (await counts(ledger)).kinds
        (anew,) = await keep(ledger, run_of(replace(TIPS, says="other tips"), name="run-2"))
        await ask(ledger, KeepUse(seq=anew.seq, use=use), Appended)
        await ask(ledger, KeepChange(seq=anew.seq, what="a bid"), Appended)
        (after,) = (await counts(ledger)).kinds

        assert line.use == replace(use, input_seq=900, changed="a bid")
        assert line.uses_count == 2
        assert (kind.used, kind.changed) == (2, 1)
        assert (kind.changed_subjects, after.changed, after.changed_subjects) == (1, 2, 1)
        assert (await counts(ledger)).learned().changed == 2
        assert isinstance(await ledger.answer(KeepChange(seq=99, what="a bid")), Unknown)


@pytest.mark.parametrize("verdict", [Verdict.NO_EFFECT, Verdict.EARNS])
async def test_a_discovery_without_an_effect_ends_and_is_not_believed_again_for_a_week(
    settings: LedgerSettings, clock: Clock, verdict: Verdict
) -> None:
    is_over = verdict is Verdict.NO_EFFECT
    async with open_ledger(settings, clock=clock) as ledger:
        (kept,) = await keep(ledger, run_of(TIPS))
        reply = await ask(ledger, KeepEffect(seq=kept.seq, effect=effect(verdict)), EffectKept)
        in_force = await load(ledger)
        (again,) = await keep(ledger, run_of(TIPS, name="run-2"))
        (live,) = await keep(ledger, run_of(TIPS, name="run-l", basis=Basis.LIVE))
        clock.now_ns += 8 * DAY_NS
        (later,) = await keep(ledger, run_of(TIPS, name="run-3", at_ns=clock.now_ns))
        line = (await load_one(ledger, kept.seq)).line

        assert reply.ended is is_over
        assert len(in_force) == (not is_over)
        assert live.became is Became.NEW  # of other markets
        assert again.became is (Became.OVER if is_over else Became.AGAIN)
        assert later.became is (Became.NEW if is_over else Became.AGAIN)
        assert line.effect == effect(verdict)
        assert isinstance(await ledger.answer(KeepEffect(seq=99, effect=effect(verdict))), Unknown)
        assert isinstance(await ledger.answer(GetDiscovery(seq=99)), Unknown)


async def test_advice_of_another_version_is_not_misread(
    settings: LedgerSettings, clock: Clock
) -> None:
    async def change(connection: AsyncConnection) -> None:
        await connection.execute(update(discoveries).values(advice='{"type":"LaterAdvice","x":1}'))

    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(TIPS))
        await ledger._writer.transact(change)
        (line,) = await load(ledger)

        assert line.discovery.advice is None


async def test_only_advice_of_a_kind_is_given_if_that_is_asked(
    settings: LedgerSettings, clock: Clock
) -> None:
    silent = replace(tips("polygon"), advice=None)
    trend = Discovery(
        kind="gas_trend", subject="base", says="It rises.", figures={}, score=0.5, holds_s=60.0
    )
    async with open_ledger(settings, clock=clock) as ledger:
        await keep(ledger, run_of(tips(), silent, trend))

        advice = await load(ledger, GetDiscoveries(is_advice=True))
        kinds = await load(ledger, GetDiscoveries(kinds=("gas_trend",)))
        report = await ledger.answer(GetDiscoveries(limit=1))

        assert [line.discovery.subject for line in advice] == ["base"]
        assert [line.discovery.kind for line in kinds] == ["gas_trend"]
        assert (len(report.lines), report.left_out, report.in_force) == (1, 2, 3)
