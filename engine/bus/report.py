"""What every report is, and the answers that any command may get.

Every report of figures carries `basis` and `market_note`, so that none can be shown without saying
whether it comes from the sandbox, from live markets or from a replay.
"""

import msgspec

from engine.domain.modes import Mode


class Report(msgspec.Struct, tag=True, frozen=True, kw_only=True):
    """What a front-end is answered."""


class Acknowledged(Report, frozen=True, kw_only=True):
    """The command was carried out and is durable; `text` says what is so now."""

    text: str
    is_killed: bool
    is_paused: bool
    mode: Mode


class Declined(Report, frozen=True, kw_only=True):
    """The command was not carried out.

    Attributes:
        needs_confirmation: the same command with its confirmation would be carried out.
        needs_code: that is a one-time code.
        nearest: of what exists, what was probably meant.
    """

    why: str
    needs_confirmation: bool = False
    needs_code: bool = False
    nearest: str = ""


class Unknown(Report, frozen=True, kw_only=True):
    """What was asked for does not exist."""

    what: str
