"""Mutants that change nothing that anybody could see, each with the reason."""

from typing import Final

EQUIVALENT: Final[dict[str, str]] = {}
