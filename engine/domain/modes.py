"""Modes of the engine: how far a confirmed opportunity may go."""

from enum import StrEnum


class Mode(StrEnum):
    """Ordered from safest; going up takes a second step, going down is one tap."""

    OBSERVE = "observe"
    PAPER = "paper"
    APPROVE = "approve"
    """Each plan is carried out only by a person's word: an approval of it, or a mandate."""

    LIVE = "live"
    """Transactions are signed and sent: on the sandbox's local chains (*sandbox live*), so far."""


MODES_UPWARD: tuple[Mode, ...] = (Mode.OBSERVE, Mode.PAPER, Mode.APPROVE, Mode.LIVE)


class Money(StrEnum):
    """Whether something was traded on paper, or really; the two are never added up."""

    PAPER = "paper"
    LIVE = "live"


class Basis(StrEnum):
    """Where the figures on a screen come from; every report says it."""

    SANDBOX = "sandbox"
    LIVE = "live"
    REPLAY = "replay"
    SANDBOX_LIVE = "sandbox live"
    """Transactions are really sent, on the sandbox's local chains, whose money is worth nothing."""


def basis_in(basis: Basis, mode: Mode) -> Basis:
    """Return what the figures of a run are in a mode."""
    return Basis.SANDBOX_LIVE if basis is Basis.SANDBOX and mode is Mode.LIVE else basis


def basis_of(basis: Basis, money: Money) -> Basis:
    """Return what the figures of a trade are, in a run of some basis."""
    return basis_in(basis, Mode.LIVE if money is Money.LIVE else Mode.PAPER)


def is_upward(*, current: Mode, wanted: Mode) -> bool:
    """Say whether a change of mode lets the engine do more than it may now."""
    return MODES_UPWARD.index(wanted) > MODES_UPWARD.index(current)
