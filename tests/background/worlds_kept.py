"""What seeded worlds came to, each kept once it is over, and what all of them say of agents."""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from engine.background.effects import BEST_AT, CONFIDENCE, SPAN_NS, judge
from engine.domain.discoveries import Effect, Sums, Verdict
from engine.domain.sequential import half_width, long_variance
from engine.domain.units import NS_PER_HOUR

CORE_USD_HOUR: Final = 0.04
"""What an hour of a rented core costs; a small one of the large providers."""

CODE: Final = ("engine", "tests/background", "tests/simulation")
"""What a world's course depends on."""

SEEDS_MIN: Final = 3
"""Of fewer nothing is foretold."""

HOURS_FORETOLD_MAX: Final = 10_000
SPANS_PER_HOUR: Final = NS_PER_HOUR // SPAN_NS
HEAD: Final = "| two hours each |"
"""The table of the page begins so."""


class Lived(msgspec.Struct, frozen=True, kw_only=True):
    """What one seed's world came to.

    Attributes:
        code: which code it ran, as `code_of` says.
        gains_usd: what agents brought, by span.
        given, withheld: sums with agents and without.
        runs, found, acted: of the agents; `missed` is why a task could not run.
        cpu_s: processor time of the agents.
        openings, takes: of the chain, and what rivals took of them.
        took_s: how long all of it took.
    """

    world: str
    seed: int
    hours: float
    pace: float
    code: str
    gains_usd: list[float]
    given: Sums
    withheld: Sums
    runs: dict[str, int]
    found: dict[str, int]
    acted: dict[str, int]
    missed: dict[str, str]
    cpu_s: float
    openings: int
    takes: int
    took_s: float


class Kept:
    """A file of worlds, a line each; a line that was cut off does not count."""

    def __init__(self, path: Path, *, code: str) -> None:
        self.code: Final = code
        self._path = path
        self._all: dict[tuple[str, int, float, float], Lived] = {}
        for line in path.read_bytes().splitlines() if path.exists() else ():
            try:
                one = msgspec.json.decode(line, type=Lived)
            except msgspec.MsgspecError:
                continue
            if one.code == code:
                self._all[one.world, one.seed, one.hours, one.pace] = one

    def find(self, world: str, seed: int, *, hours: float, pace: float) -> Lived | None:
        """Return what a seed's world came to; None if that is not known of this code."""
        return self._all.get((world, seed, hours, pace))

    def add(self, one: Lived) -> None:
        """Keep a world."""
        self._all[one.world, one.seed, one.hours, one.pace] = one
        self._path.parent.mkdir(parents=True, exist_ok=True)
        is_cut = self._path.exists() and self._path.read_bytes()[-1:] not in (b"", b"\n")
        with self._path.open("ab") as file:
            file.write(b"\n" * is_cut + msgspec.json.encode(one) + b"\n")


def code_of(root: Path) -> str:
    """Return a digest of the code that a world's course depends on."""
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@dataclass(slots=True)
class Came:
    """What worlds came to all together, with agents and without."""

    gains_usd: list[float] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    given: list[Sums] = field(default_factory=list)
    withheld: list[Sums] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    acted: Counter[str] = field(default_factory=Counter)
    missed: dict[str, str] = field(default_factory=dict)
    cpu_s: float = 0.0
    openings: int = 0
    takes: int = 0
    took_s: float = 0.0

    def add(self, one: Lived) -> None:
        """Add a world."""
        self.gains_usd += one.gains_usd
        self.seeds.append(one.seed)
        self.given.append(one.given)
        self.withheld.append(one.withheld)
        self.runs.update(one.runs)
        self.found.update(one.found)
        self.acted.update(one.acted)
        self.missed |= one.missed
        self.cpu_s += one.cpu_s
        self.openings += one.openings
        self.takes += one.takes
        self.took_s += one.took_s

    def effect(self) -> Effect:
        """Return the effect of all of them together."""
        return judge(
            self.gains_usd,
            given=total(self.given),
            withheld=total(self.withheld),
            measured_at_ns=0,
            run_id="",
        )

    @property
    def cost_usd_hour(self) -> float:
        """What the agents' processor time costs, an hour of the world."""
        hours = self.effect().hours
        return self.cpu_s / 3600 * CORE_USD_HOUR / hours if hours else 0.0

    def hours_missing(self) -> float | None:
        """Return after how many hours more it would be told whether agents earn, were all as now.

        None where too few seeds were seen, or it would take for ever. 0: it is told.
        """
        if len(self.seeds) < SEEDS_MIN or len(self.gains_usd) < SPANS_PER_HOUR:
            return None
        beyond = math.fsum(self.gains_usd) / len(self.gains_usd) - (
            self.cost_usd_hour / SPANS_PER_HOUR
        )
        variance = long_variance(self.gains_usd)
        spans = len(self.gains_usd)
        if not variance:
            return 0.0
        most = HOURS_FORETOLD_MAX * SPANS_PER_HOUR
        alpha = 1 - CONFIDENCE
        while spans < most and (
            half_width(variance, spans, alpha=alpha, best_at=BEST_AT) > abs(beyond)
        ):
            spans += SPANS_PER_HOUR
        return None if spans >= most else (spans - len(self.gains_usd)) / SPANS_PER_HOUR


def total(sums: list[Sums]) -> Sums:
    """Add sums up."""
    return Sums(
        profit_usd=sum(one.profit_usd for one in sums),
        found=sum(one.found for one in sums),
        captured=sum(one.captured for one in sums),
        cost_usd=sum(one.cost_usd for one in sums),
    )


def verdict_of(came: Came) -> str:
    """Say in a sentence whether the agents earned more than they cost."""
    effect, cost = came.effect(), came.cost_usd_hour
    said = (
        f"{effect.gain_usd_hour:+.2f} USD/h ({effect.low_usd_hour:+.2f} to"
        f" {effect.high_usd_hour:+.2f}) for {came.cpu_s:.1f} s of processor time"
        f" ({cost:.4f} USD/h)"
    )
    if effect.verdict is Verdict.TOO_LITTLE:
        return f"Too little was seen to say what agents earn here: {said}."
    if effect.low_usd_hour > cost:
        return f"The agents earn more than they cost here: {said}."
    if effect.high_usd_hour < cost:
        return f"The agents earn less than they cost here: {said}."
    return f"It is not told whether agents earn more than they cost here: {said}."


def told(name: str, came: Came, *, hours: float) -> dict[str, object]:
    """Return it as plain values."""
    return {
        "world": name,
        "seeds": came.seeds,
        "hours_each": hours,
        "openings": came.openings,
        "taken_by_rivals": came.takes,
        "with_agents": msgspec.to_builtins(total(came.given)),
        "without": msgspec.to_builtins(total(came.withheld)),
        "by_seed": [
            {"seed": seed, "with": round(one.profit_usd, 2), "without": round(two.profit_usd, 2)}
            for seed, one, two in zip(came.seeds, came.given, came.withheld, strict=True)
        ],
        "effect": msgspec.to_builtins(came.effect()),
        "agents_cpu_s": round(came.cpu_s, 2),
        "agents_usd_hour": round(came.cost_usd_hour, 6),
        "hours_missing": came.hours_missing(),
        "took_s": round(came.took_s, 1),
        "runs": dict(came.runs),
        "not_run": came.missed,
        "found": dict(came.found),
        "advised": dict(came.acted),
        "says": verdict_of(came),
    }


def row_of(name: str, came: Came, *, hours: float) -> str:
    """Return the row of the page."""
    effect, given, withheld = came.effect(), total(came.given), total(came.withheld)
    gain = (
        f"{effect.gain_usd_hour:+.2f} USD ({effect.low_usd_hour:+.2f} to"
        f" {effect.high_usd_hour:+.2f})"
    )
    cells = (
        f"{_key(name)} {len(came.seeds)} seeds from {min(came.seeds)} on, {hours:g} h each",
        f"{given.profit_usd:,.2f} USD, {given.captured:,} captured of {given.found:,}",
        f"{withheld.profit_usd:,.2f} USD, {withheld.captured:,} captured",
        f"**{gain}**",
        f"{given.cost_usd:,.0f}, {withheld.cost_usd:,.0f} USD",
    )
    return f"| {' | '.join(cells)} |"


def write_row(page: Path, name: str, came: Came, *, hours: float) -> None:
    """Put the row into the page's table, in the place of the one of before."""
    lines = page.read_text().splitlines()
    head = next(at for at, line in enumerate(lines) if line.startswith(HEAD))
    end = next(at for at in range(head, len(lines)) if not lines[at].startswith("|"))
    rows = [one for one in lines[head:end] if not one.startswith(f"| {_key(name)}")]
    lines[head:end] = [*rows, row_of(name, came, hours=hours)]
    page.write_text("\n".join(lines) + "\n")


def _key(name: str) -> str:
    return f"`{name}`, as it is now:"
