"""Which models may tell a probability, and how: by how they came out where they were judged.

The figures are those of `make calibration` (docs/calibration.md); a test works them out anew. What
is not in the list is told as uncalibrated, whatever it says.
"""

from collections.abc import Mapping
from typing import Final

from engine.domain.calibration import CLAIM, Evidence, may_be_called

UNCALIBRATED: Final = "uncalibrated"

CLAIMS: Final[Mapping[str, Evidence]] = {
    "after_gas": Evidence(n=424, is_calibrated=True, called_n=136, called_held=134),
    "after_gas_platt": Evidence(n=424, is_calibrated=False, called_n=220, called_held=212),
    "inclusion_2023": Evidence(n=259, is_calibrated=True, called_n=0, called_held=0),
    "inclusion_world": Evidence(n=273, is_calibrated=True, called_n=0, called_held=0),
}
"""By model; `inclusion_world` is what the engine tells of its plans."""

INCLUSION: Final = "inclusion_world"


def is_known(model: str) -> bool:
    """Say whether a model is calibrated."""
    found = CLAIMS.get(model)
    return found is not None and found.is_calibrated


def may_tell(probability: float, model: str) -> bool:
    """Say whether a model may tell a probability as one: of 95 % or more only by the rule."""
    return is_known(model) and (probability < CLAIM or may_be_called(CLAIMS[model]))


def told(probability: float, model: str) -> str:
    """Return a probability as it may be told, with the number of cases that stand behind it."""
    if not is_known(model):
        return f"{probability:.0%} {UNCALIBRATED}"
    if not may_tell(probability, model):
        return f"under {CLAIM:.0%}, n {CLAIMS[model].n}"
    return f"{probability:.0%}, n {CLAIMS[model].n}"
