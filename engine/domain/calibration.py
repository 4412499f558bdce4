"""How good told probabilities are: scores, reliability with intervals, and what may be called 95 %.

A probability is judged by what came after it was told, never by what it was fitted on. Brier score
and its parts after Murphy (1973), intervals after Wilson (1927).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.domain.errors import BadValueError

N_MIN: Final = 200
"""Fewer cases out of sample calibrate nothing."""

BINS: Final = 10
Z: Final = 1.959963984540054
"""Of an interval that holds the true share 19 times of 20."""

LOG_FLOOR: Final = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cases that were told about the same probability.

    Attributes:
        told: their mean; `held` is the share that it came true for, between `low` and `high` 19
            times of 20.
    """

    n: int
    told: float
    held: float
    low: float
    high: float

    @property
    def fits(self) -> bool:
        """Whether what was told lies in the interval."""
        return self.low <= self.told <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """What told probabilities came to.

    Attributes:
        n: cases.
        brier: mean squared error; `base_brier` that of the baseline, one share for all.
        log_loss, base_log_loss: likewise, in nats.
        miscalibration: the part of `brier` by which bins differ from what was told (0 is best);
            `resolution` the part that telling cases apart saved.
        bins: by what was told, rising; about as many cases in each.
        called_n, called_held: cases that were told 95 % or more, and how many of them held.
    """

    n: int
    brier: float
    base_brier: float
    log_loss: float
    base_log_loss: float
    miscalibration: float
    resolution: float
    bins: tuple[Bin, ...]
    called_n: int
    called_held: int

    @property
    def skill(self) -> float:
        """The share of the baseline's error that is saved; below 0 it is worse."""
        return 1.0 - self.brier / self.base_brier if self.base_brier else 0.0

    @property
    def is_calibrated(self) -> bool:
        """Whether it is good enough to be shown as a probability.

        Enough cases, better than one share for all by both scores, and in no more bins than chance
        leaves (1 of 10) outside its interval.
        """
        misses = sum(not one.fits for one in self.bins)
        beats = self.brier < self.base_brier and self.log_loss < self.base_log_loss
        return self.n >= N_MIN and beats and misses <= max(1, len(self.bins) // 10)

    @property
    def called_interval(self) -> tuple[float, float]:
        """Between which shares what is told 95 % or more holds, 19 times of 20."""
        return wilson(self.called_held, self.called_n) if self.called_n else (0.0, 1.0)

    @property
    def evidence(self) -> "Evidence":
        """What of it decides what the model may be called."""
        return Evidence(
            n=self.n,
            is_calibrated=self.is_calibrated,
            called_n=self.called_n,
            called_held=self.called_held,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """How a model came out where it was judged; see `Reliability`."""

    n: int
    is_calibrated: bool
    called_n: int
    called_held: int


CLAIM: Final = 0.95


def may_be_called(evidence: Evidence | None, claim: float = CLAIM) -> bool:
    """Say whether what a model tells as 95 % may be called that: THE rule, for all of the product.

    Only a calibrated model, and only if of what it told as 95 % or more at least 95 % held, with
    the lower end of the interval: a share that merely looks like it is none.
    """
    if evidence is None or not evidence.is_calibrated or not evidence.called_n:
        return False
    return wilson(evidence.called_held, evidence.called_n)[0] >= claim


def wilson(held: int, n: int, *, z: float = Z) -> tuple[float, float]:
    """Return the interval of a share.

    Raises:
        BadValueError: there are no cases, or more held than there are.
    """
    if not 0 <= held <= n or not n:
        raise BadValueError(f"{held} of {n} cases is no share")
    share, z2 = held / n, z * z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    low = 0.0 if not held else max(0.0, middle - half)
    high = 1.0 if held == n else min(1.0, middle + half)
    return low, high


def judge(
    told: Sequence[float], came: Sequence[bool], *, base: Sequence[float] | float, bins: int = BINS
) -> Reliability:
    """Judge probabilities by what came.

    Args:
        told: probabilities, before the cases.
        came: whether each came true.
        base: what the baseline told: one share for all, or one each.
        bins: into how many groups, of about as many cases.

    Raises:
        BadValueError: no cases, other lengths, or what is no probability.
    """
    n = len(told)
    bases = [float(base)] * n if isinstance(base, int | float) else list(base)
    if not n or len(came) != n or len(bases) != n:
        raise BadValueError(f"{n} probabilities, {len(came)} outcomes and {len(bases)} of a base")
    for one in (*told, *bases):
        if not 0.0 <= one <= 1.0:
            raise BadValueError(f"{one} is no probability")
    groups = _grouped(sorted(zip(told, came, strict=True)), bins)
    share = sum(came) / n
    called = [held for one, held in zip(told, came, strict=True) if one >= CLAIM]
    return Reliability(
        n=n,
        brier=_brier(told, came),
        base_brier=_brier(bases, came),
        log_loss=_log_loss(told, came),
        base_log_loss=_log_loss(bases, came),
        miscalibration=sum(one.n * (one.told - one.held) ** 2 for one in groups) / n,
        resolution=sum(one.n * (one.held - share) ** 2 for one in groups) / n,
        bins=groups,
        called_n=len(called),
        called_held=sum(called),
    )


def _grouped(cases: Sequence[tuple[float, bool]], bins: int) -> tuple[Bin, ...]:
    """Part cases into groups of about as many; the same probability is never parted."""
    groups: list[list[tuple[float, bool]]] = []
    least = max(1, len(cases) // bins)
    for case in cases:
        if groups and (len(groups[-1]) < least or groups[-1][-1][0] == case[0]):
            groups[-1].append(case)
        else:
            groups.append([case])
    if len(groups) > 1 and len(groups[-1]) < least:
        few = groups.pop()
        groups[-1] += few
    return tuple(_bin(group) for group in groups)


def _bin(group: Sequence[tuple[float, bool]]) -> Bin:
    n, held = len(group), sum(came for _, came in group)
    low, high = wilson(held, n)
    return Bin(n=n, told=math.fsum(one for one, _ in group) / n, held=held / n, low=low, high=high)


def _brier(told: Sequence[float], came: Sequence[bool]) -> float:
    return math.fsum((one - is_so) ** 2 for one, is_so in zip(told, came, strict=True)) / len(told)


def _log_loss(told: Sequence[float], came: Sequence[bool]) -> float:
    return -math.fsum(
        math.log(max(one if is_so else 1.0 - one, LOG_FLOOR))
        for one, is_so in zip(told, came, strict=True)
    ) / len(told)
