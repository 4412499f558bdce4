"""News that reach a front-end by neither engine nor ledger: one of them is their subject."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoleEnded:
    """A role ended for good: only a person can mend what it says, and start it again."""

    role: str
    why: str
