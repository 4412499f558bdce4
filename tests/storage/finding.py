"""Makers of discoveries, and short ways to keep and load them."""

from msgspec.structs import replace

from engine.bus.discovery_reports import (
    DiscoveriesKept,
    DiscoveriesReport,
    DiscoveryLine,
    DiscoveryReport,
    Kept,
)
from engine.domain.advice import TipAdvice
from engine.domain.discoveries import Discovery, Effect, Sums, Verdict
from engine.domain.modes import Basis
from engine.requests.discoveries import GetDiscoveries, GetDiscovery, KeepDiscoveries
from engine.storage.ledger import Ledger
from tests.storage.asking import ask
from tests.storage.makers import NOW_NS

TIPS = Discovery(
    kind="tip_model",
    subject="base",
    says="Blocks of base take a tip of 0.02 gwei.",
    figures={"tip_gwei": 0.02, "skill_ratio": 0.31},
    score=0.8,
    holds_s=600.0,
    evidence=("base blocks 100..400",),
    advice=TipAdvice(chain="base", tip_gwei=0.02),
)


def tips(subject: str = "base", *, tip_gwei: float = 0.02, score: float = 0.8) -> Discovery:
    return replace(
        TIPS,
        subject=subject,
        says=f"Blocks of {subject} take a tip of {tip_gwei:g} gwei.",
        figures={"tip_gwei": tip_gwei},
        score=score,
        advice=TipAdvice(chain=subject, tip_gwei=tip_gwei),
    )


def run_of(
    *found: Discovery, name: str = "run-1", at_ns: int = NOW_NS, basis: Basis = Basis.SANDBOX
) -> KeepDiscoveries:
    return KeepDiscoveries(
        task="tips",
        agent="base_analyst",
        task_run=name,
        at_ns=at_ns,
        basis=basis,
        found=list(found),
    )


async def keep(ledger: Ledger, run: KeepDiscoveries) -> list[Kept]:
    return (await ask(ledger, run, DiscoveriesKept)).verdicts


async def load(ledger: Ledger, wanted: GetDiscoveries | None = None) -> list[DiscoveryLine]:
    return (await ask(ledger, wanted or GetDiscoveries(), DiscoveriesReport)).lines


async def load_one(ledger: Ledger, seq: int) -> DiscoveryReport:
    return await ask(ledger, GetDiscovery(seq=seq), DiscoveryReport)


def effect(verdict: Verdict, *, gain_usd_hour: float = 1.5) -> Effect:
    sums = Sums(profit_usd=12.5, found=40, captured=31, cost_usd=4.25)
    return Effect(
        measured_at_ns=NOW_NS,
        run_id="run1",
        hours=2.0,
        blocks=48,
        gain_usd_hour=gain_usd_hour,
        low_usd_hour=gain_usd_hour - 1.0,
        high_usd_hour=gain_usd_hour + 1.0,
        confidence=0.95,
        given=sums,
        withheld=replace(sums, profit_usd=9.5, captured=28),
        verdict=verdict,
    )
