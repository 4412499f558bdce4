"""Other limits, tried on recorded hours: what would have come of them, had a person set them?

A higher least edge leaves alone what gains little and often fails, and keeps money and places for
what gains more; whether that pays, own trades alone do not tell, but the same hours do, played
again. Lower limits cannot be tried: none is looser than the settings in a replay either. What is
proven to earn more is proposed to a person.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.background.effects import CONFIDENCE
from engine.background.ports import Discovery
from engine.domain.advice import ThresholdProposal
from engine.domain.discoveries import Effect, Verdict

TERM: Final = "net_edge_bps_min"
STEPS: Final = (1.25, 1.5, 2.0, 3.0)
"""Times the limit that is in force."""

CONFIDENCE_OF_EACH: Final = 1 - (1 - CONFIDENCE) / len(STEPS)
"""All that are tried share the chance to be believed wrongly."""

HOLDS_S: Final = 14_400.0
_MARK: Final = "limit"


def trials_of(limits: Mapping[str, float]) -> list[str]:
    """Return what is to be tried, each by its name, from the limits in force."""
    now = limits.get(TERM, 0.0)
    return [f"{_MARK} {TERM} {now * step:.6g}" for step in STEPS] if now > 0 else []


def limits_of(trial: str) -> dict[str, Decimal] | None:
    """Return which limits are otherwise in a trial; None if it is none."""
    mark, *rest = trial.split(" ")
    return {rest[0]: Decimal(rest[1])} if mark == _MARK else None


def proposed(effects: Mapping[str, Effect]) -> tuple[Discovery, ...]:
    """Propose the one of these trials that is proven to earn most, if any is."""
    earns = {trial: one for trial, one in effects.items() if one.verdict is Verdict.EARNS}
    if not earns:
        return ()
    trial = max(earns, key=lambda name: (earns[name].low_usd_hour, name))
    effect, value = earns[trial], float(trial.split(" ")[2])
    why = (
        f"in {effect.hours:.2g} recorded hours a least edge of {value:g} bps brought"
        f" {effect.gain_usd_hour:+.3g} USD an hour ({effect.low_usd_hour:+.3g} to"
        f" {effect.high_usd_hour:+.3g})"
    )
    return (
        Discovery(
            kind="strategy",
            subject=f"{TERM} replayed",
            says=why,
            figures={
                "profit_usd": effect.given.profit_usd - effect.withheld.profit_usd,
                "gain_usd_hour": effect.gain_usd_hour,
                "low_usd_hour": effect.low_usd_hour,
                "value_bps": value,
                "tried": float(len(STEPS)),
            },
            score=CONFIDENCE_OF_EACH,
            holds_s=HOLDS_S,
            evidence=(f"{effect.blocks} spans of {effect.run_id}, each compared with itself",),
            advice=ThresholdProposal(term=TERM, value=value, why=why),
        ),
    )
