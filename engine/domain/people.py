"""People who may write to the bot, and what each may do."""

from dataclasses import dataclass
from enum import StrEnum


class Rank(StrEnum):
    """What a person may do; each rank may do all that those before it may."""

    VIEWER = "viewer"
    """Looks; is told nothing unasked."""
    OPERATOR = "operator"
    """Answers approvals, grants mandates, pauses, resumes, kills, tightens; is told everything."""
    ADMIN = "admin"
    """Lets the engine do more: a mode upward, a wider limit, an end of a kill."""

    def is_at_least(self, other: "Rank") -> bool:
        """Say whether this rank may do what the other may."""
        return _ORDER.index(self) >= _ORDER.index(other)


_ORDER = tuple(Rank)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may write to the bot.

    Attributes:
        user_id: Telegram's number of the person, which is that of the private chat too.
    """

    user_id: int
    rank: Rank

    @property
    def name(self) -> str:
        """Return who this is in the records."""
        return f"telegram:{self.user_id}"
