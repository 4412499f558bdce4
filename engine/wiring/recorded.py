"""Recordings, as effects are told from: which run is the newest, which of its files are whole."""

from pathlib import Path

from msgspec.structs import replace

from engine.domain.advice import AnyAdvice, PathAdvice, PoolsAdvice
from engine.domain.discoveries import Effect, Verdict
from engine.domain.errors import BadValueError
from engine.operate.recording import SUFFIX, number_of, segments_of


def newest_run(recordings: Path) -> Path:
    """Return the folder of the run that was recorded last.

    Raises:
        BadValueError: there is none.
    """
    runs = [run for run in recordings.glob("*/") if any(run.glob(f"*{SUFFIX}"))]
    if not runs:
        raise BadValueError(f"no run is recorded in {recordings}")
    return max(runs, key=lambda run: max(one.stat().st_mtime for one in run.glob(f"*{SUFFIX}")))


def whole_segments(run: Path) -> list[int]:
    """Return the numbers of a run's segments that are written no more, without a hole before them.

    Raises:
        BadValueError: there is none.
    """
    numbers = [number_of(segment) for segment in segments_of(run)][:-1]
    first = max((n for n in numbers if n - 1 not in numbers), default=0)
    return [number for number in numbers if number >= first]


def judged(effect: Effect, advice: AnyAdvice) -> Effect:
    """Return an effect as it may be believed.

    Which pools are followed is in the recorded inputs, whatever is advised in a replay: that such
    advice changes nothing there says nothing of it.
    """
    if isinstance(advice, PoolsAdvice | PathAdvice) and effect.verdict is Verdict.NO_EFFECT:
        return replace(effect, verdict=Verdict.TOO_LITTLE)
    return effect
