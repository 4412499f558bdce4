"""Five discoveries of four kinds, of which one earns, one costs and one has ended."""

from typing import Final

from msgspec.structs import replace

from engine.bus.discovery_reports import (
    DiscoveriesReport,
    DiscoveryCounts,
    DiscoveryLine,
    DiscoveryReport,
    FigurePoint,
    KindCount,
    Use,
)
from engine.bus.reports import Unknown
from engine.domain.advice import TipAdvice
from engine.domain.discoveries import Discovery, Effect, Sums, Verdict
from engine.domain.modes import Basis
from engine.requests.discoveries import GetDiscoveries

AT_NS: Final = 1_790_000_000_000_000_000
_S: Final = 10**9
_POOL: Final = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"


def effect(verdict: Verdict, gain_usd_hour: float) -> Effect:
    """What two hours were with and without it."""
    sums = Sums(profit_usd=41.2, found=96, captured=71, cost_usd=12.75)
    return Effect(
        measured_at_ns=AT_NS - 900 * _S,
        run_id="r7",
        hours=2.0,
        blocks=24,
        gain_usd_hour=gain_usd_hour,
        low_usd_hour=gain_usd_hour - 0.88,
        high_usd_hour=gain_usd_hour + 0.88,
        confidence=0.95,
        given=sums,
        withheld=replace(sums, profit_usd=41.2 - 2 * gain_usd_hour, captured=64),
        verdict=verdict,
    )


def line(
    seq: int, found: Discovery, *, age_s: int, measured: Effect | None = None, ended: str = ""
) -> DiscoveryLine:
    """A discovery as it is told."""
    return DiscoveryLine(
        seq=seq,
        basis=Basis.SANDBOX,
        task="tips",
        agent="base_analyst",
        task_run=f"tips-{seq}",
        discovery=found,
        found_at_ns=AT_NS - age_s * _S,
        seen_at_ns=AT_NS - age_s * _S // 2,
        seen_count=4,
        expires_at_ns=AT_NS + 540 * _S,
        ended_at_ns=AT_NS - 60 * _S if ended else 0,
        ended=ended,
        use=None if found.advice is None else Use(run_id="r7", input_seq=81_204, at_ns=AT_NS),
        uses_count=found.advice is not None,
        effect=measured,
    )


TIPS: Final = line(
    12,
    Discovery(
        kind="tip_model",
        subject="base",
        says="9 of 10 blocks of base are entered with a tip of 0.024 gwei; 0.05 was reckoned with.",
        figures={"tip_gwei": 0.024, "included_ratio": 0.9, "skill_ratio": 0.31},
        score=0.92,
        holds_s=1800.0,
        evidence=("base blocks 31245100..31245678", "578 blocks, 9,412 tips"),
        advice=TipAdvice(chain="base", tip_gwei=0.024),
    ),
    age_s=340,
    measured=effect(Verdict.EARNS, 1.57),
)
LINES: Final = (
    TIPS,
    line(
        9,
        Discovery(
            kind="success_pattern",
            subject="ETH-USD coinbase>gemini 14h",
            says="Between 14 and 15 h UTC 7 of 9 plans of this route were filled whole.",
            figures={"success_ratio": 0.78},
            score=0.7,
            holds_s=86_400.0,
        ),
        age_s=7_300,
    ),
    line(
        11,
        Discovery(
            kind="liquidity",
            subject=f"uniswap_v3@ethereum {_POOL}",
            says=f"Pool {_POOL} holds 184 M USD within 1 %.",
            figures={"liquidity_usd": 184_210_000.0},
            score=0.66,
            holds_s=3600.0,
        ),
        age_s=58,
        measured=effect(Verdict.TOO_LITTLE, 0.2),
    ),
    line(
        4,
        Discovery(
            kind="tip_model",
            subject="polygon",
            says="9 of 10 blocks of polygon are entered with a tip of 31 gwei.",
            figures={"tip_gwei": 31.0},
            score=0.5,
            holds_s=1800.0,
            advice=TipAdvice(chain="polygon", tip_gwei=31.0),
        ),
        age_s=4_000,
        measured=effect(Verdict.NO_EFFECT, 0.01),
        ended=Verdict.NO_EFFECT.value,
    ),
)


def found(wanted: GetDiscoveries) -> DiscoveriesReport:
    """What is known of some words, or what is in force."""
    lines = [one for one in LINES if not (wanted.is_in_force and one.ended_at_ns)]
    if wanted.kinds:
        lines = [one for one in lines if one.discovery.kind in wanted.kinds]
    if wanted.words:
        lines = [one for one in lines if one.discovery.kind == "tip_model"]
    return DiscoveriesReport(at_ns=AT_NS, basis=Basis.SANDBOX, lines=lines, left_out=0, in_force=3)


def one(seq: int) -> DiscoveryReport | Unknown:
    """One with its history."""
    for known in LINES:
        if known.seq == seq:
            return DiscoveryReport(at_ns=AT_NS, line=known, points=_points(known))
    return Unknown(what=f"there is no discovery {seq}")


def similar(seq: int) -> DiscoveriesReport | Unknown:
    """Those that are like one."""
    if isinstance(one(seq), Unknown):
        return Unknown(what=f"there is no discovery {seq}")
    lines = [replace(LINES[3], likeness=0.71), replace(LINES[2], likeness=0.2)]
    return DiscoveriesReport(at_ns=AT_NS, basis=Basis.SANDBOX, lines=lines, left_out=0, in_force=3)


def counts() -> DiscoveryCounts:
    """What was learned yesterday."""
    return DiscoveryCounts(
        since_ns=AT_NS - 86_400 * _S,
        kinds=[
            KindCount(
                kind="tip_model",
                kept=31,
                again=112,
                used=22,
                changed=9,
                effects={Verdict.EARNS.value: 2, Verdict.NO_EFFECT.value: 1},
                gain_usd_hour=2.04,
            ),
            KindCount(kind="liquidity", kept=9),
            KindCount(kind="success_pattern", kept=3),
        ],
        in_force=3,
        refused={},
        left_out=0,
        pruned=12,
    )


def _points(known: DiscoveryLine) -> list[FigurePoint]:
    steps = (1.9, 1.7, 1.75, 1.3, 1.1, 1.05, 1.2, 1.0)
    return [
        FigurePoint(
            at_ns=known.found_at_ns - (len(steps) - 1 - number) * 600 * _S,
            figures={
                name: value * (step if name.endswith("gwei") else 2 - step / 1.5 - 1 / 3)
                for name, value in known.discovery.figures.items()
            },
            score=known.discovery.score,
        )
        for number, step in enumerate(steps)
    ]
