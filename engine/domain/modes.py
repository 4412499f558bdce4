"""Modes of the engine: how far a confirmed opportunity may go."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Mode(StrEnum):
    """Ordered from safest; going up takes a second step, going down is one tap."""

    OBSERVE = "observe"
    PAPER = "paper"
    APPROVE = "approve"
    """Each plan is carried out only by a person's word: an approval of it, or a mandate."""

    LIVE = "live"
    """Transactions are signed and sent: on the sandbox's local chains (*sandbox live*), on test
    networks, and on main networks behind further gates."""


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
    TEST = "test network"
    """Live markets; what is signed is for test networks, whose coins are worth nothing."""
    TEST_LIVE = "test network live"
    """The same, and transactions are really sent there."""
    MAIN_LIVE = "main network live"
    """Transactions are really sent, with real money."""


SENT_ON: Final[Mapping[Basis, Basis]] = {
    Basis.SANDBOX: Basis.SANDBOX_LIVE,
    Basis.TEST: Basis.TEST_LIVE,
    Basis.LIVE: Basis.MAIN_LIVE,
}
"""What figures are that come of transactions which were sent, by what the run's others are."""

SENT: Final = frozenset(SENT_ON.values())


def basis_in(basis: Basis, mode: Mode) -> Basis:
    """Return what the figures of a run are in a mode."""
    return SENT_ON.get(basis, basis) if mode is Mode.LIVE else basis


def basis_of(basis: Basis, money: Money) -> Basis:
    """Return what the figures of a trade are, in a run of some basis."""
    return basis_in(basis, Mode.LIVE if money is Money.LIVE else Mode.PAPER)


def is_upward(*, current: Mode, wanted: Mode) -> bool:
    """Say whether a change of mode lets the engine do more than it may now."""
    return MODES_UPWARD.index(wanted) > MODES_UPWARD.index(current)
