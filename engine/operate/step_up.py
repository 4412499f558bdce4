"""What a loosening has to come with: a second step, a one-time code, and for the largest a wait.

Tightening knows none of this. What is asked for grows with what it can cost: while nothing but
paper moves, somebody without an authenticator needs the second step alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.bus.command import Envelope
from engine.bus.reports import Declined
from engine.decide.limit_set import Term
from engine.domain.delays import Delayed
from engine.domain.fees import fee_words
from engine.domain.instruments import VenueId
from engine.domain.modes import MODES_UPWARD, Basis, Mode
from engine.domain.switched_off import Off, PlaceKind
from engine.domain.transfer_life import TransferOrder
from engine.domain.units import NS_PER_S
from engine.operate.codes import Codes

LARGE_RATIO: Final = 2
"""A limit of money that grows by more than this waits."""

MONEY: Final = "USD"
_ENROLL: Final = (
    "beyond paper on live markets this needs a one-time code, and no authenticator is set up: "
    "run make enroll on the engine's machine, then start again"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loosening:
    """What is asked for.

    Attributes:
        what: in words, as it will be recorded.
        why: what it lets through.
        is_largest: it waits before it acts.
        is_paper: whatever it allows is simulated.
        switches_on: the venue or pair.
        fee: of which venue, and to what; None for that of the settings.
        settings: what the settings say of limits from then on.
    """

    what: str
    why: str
    is_largest: bool
    is_paper: bool
    mode: Mode | None = None
    limit: str | None = None
    value: Decimal | None = None
    switches_on: tuple[PlaceKind, str] | None = None
    fee: tuple[VenueId, Decimal | None] | None = None
    settings: Mapping[str, Decimal] | None = None

    def delayed(self, envelope: Envelope, *, now_ns: int, delay_ns: int) -> Delayed:
        """Return it as it waits."""
        return Delayed(
            what=self.what,
            by=envelope.by,
            asked_at_ns=now_ns,
            due_at_ns=now_ns + delay_ns,
            mode=self.mode,
            limit=self.limit,
            value=self.value,
        )


@dataclass(frozen=True, slots=True)
class Allowed:
    """It may be stored, with the time step of the code that it used up."""

    code_step: int | None


class StepUp:
    """Judges loosenings.

    Attributes:
        codes: the operator's authenticator.
        delay_ns: how long the largest wait.
    """

    def __init__(self, codes: Codes, *, basis: Basis, delay_s: int) -> None:
        self.codes = codes
        self.delay_ns = delay_s * NS_PER_S
        self._is_sandbox = basis is not Basis.LIVE

    def to_mode(self, current: Mode, wanted: Mode) -> Loosening:
        """Describe going up."""
        return Loosening(
            what=f"mode {wanted}",
            why=f"going up from {current} to {wanted}",
            is_largest=is_beyond_paper(wanted),
            is_paper=self._is_sandbox or not is_beyond_paper(wanted),
            mode=wanted,
        )

    def of_limit(self, term: Term, held: Decimal, wanted: Decimal, *, mode: Mode) -> Loosening:
        """Describe letting more through."""
        return Loosening(
            what=f"limit {term.name} {wanted:f} {term.unit}",
            why=f"from {held:f} to {wanted:f} {term.unit} lets more through and",
            is_largest=term.unit == MONEY and wanted > LARGE_RATIO * held,
            is_paper=self._is_sandbox or not is_beyond_paper(mode),
            limit=term.name,
            value=wanted,
        )

    def switching_on(self, one: Off, *, mode: Mode) -> Loosening:
        """Describe switching on what is off: it takes what a looser limit takes, and no wait."""
        return Loosening(
            what=f"{one.kind} {one.name} on",
            why=f"{one.kind} {one.name} on lets it be traded again and",
            is_largest=False,
            is_paper=self._is_sandbox or not is_beyond_paper(mode),
            switches_on=one.key,
        )

    def of_fee(
        self, venue: VenueId, held: Decimal, wanted: Decimal | None, *, mode: Mode
    ) -> Loosening:
        """Describe reckoning with a lower fee: it takes what a looser limit takes, and no wait."""
        to = "that of the settings" if wanted is None else f"{wanted:f} bps"
        return Loosening(
            what=fee_words(venue, wanted),
            why=f"the fee of {venue} from {held:f} bps to {to} lets more through and",
            is_largest=False,
            is_paper=self._is_sandbox or not is_beyond_paper(mode),
            fee=(venue, wanted),
        )

    def of_settings(
        self, what: str, settings: Mapping[str, Decimal], why: str, *, mode: Mode
    ) -> Loosening:
        """Describe going by settings read anew: it takes what a looser limit takes, and no wait."""
        return Loosening(
            what=what,
            why=f"{why} lets more through and",
            is_largest=False,
            is_paper=self._is_sandbox or not is_beyond_paper(mode),
            settings=settings,
        )

    def letting_run(self, chain: str, *, mode: Mode) -> Loosening:
        """Describe letting our contract run again after a pause: as a looser limit, and no wait."""
        return Loosening(
            what=f"let the contract on {chain} run again",
            why=f"the contract on {chain} takes routes again and",
            is_largest=False,
            is_paper=self._is_sandbox or not is_beyond_paper(mode),
        )

    def adopting(self, venue: str, *, mode: Mode) -> Loosening:
        """Describe letting orders go to a halted venue again: as a looser limit, and no wait."""
        return Loosening(
            what=f"take what {venue} shows as what is so",
            why=f"orders go to {venue} again, whatever differs there, and that",
            is_largest=False,
            is_paper=self._is_sandbox or not is_beyond_paper(mode),
        )

    def transferring(self, order: TransferOrder) -> Loosening:
        """Describe bringing money to another exchange: it has a delay of its own, at the signer."""
        to = order.destination
        way = f"{order.amount:f} {order.asset} from {order.source} to {to.venue}"
        return Loosening(
            what=f"transfer {way} on {to.chain}, {to.address}"[:200],
            why=f"bringing {way}",
            is_largest=False,
            is_paper=self._is_sandbox,
        )

    def waits_ns(self, asked: Loosening) -> int:
        """Return how long it waits before it acts."""
        return self.delay_ns if asked.is_largest else 0

    async def judge(
        self, asked: Loosening, envelope: Envelope, *, is_confirmed: bool, code: str | None
    ) -> Allowed | Declined:
        """Say whether it may be stored, or what it lacks."""
        if not self.codes.is_enrolled and not asked.is_paper:
            return Declined(why=f"{asked.why}: {_ENROLL}")
        if not is_confirmed or (self.codes.is_enrolled and code is None):
            return Declined(
                why=self._needs(asked),
                needs_confirmation=True,
                needs_code=self.codes.is_enrolled,
            )
        if code is None:
            return Allowed(None)
        refusal, step = await self.codes.use(code, by=envelope.by, what=asked.what)
        return Allowed(step) if refusal is None else Declined(why=refusal)

    def _needs(self, asked: Loosening) -> str:
        needs = "needs a one-time code" if self.codes.is_enrolled else "needs a confirmation"
        waits_ns = self.waits_ns(asked)
        if not waits_ns:
            return f"{asked.why} {needs}"
        return f"{asked.why} {needs}, then waits {in_minutes(waits_ns)} in which /cancel stops it"


def is_beyond_paper(mode: Mode) -> bool:
    """Say whether a mode does more than to plan and simulate."""
    return MODES_UPWARD.index(mode) > MODES_UPWARD.index(Mode.PAPER)


def in_minutes(span_ns: int) -> str:
    """Say how long a wait is."""
    seconds = span_ns // NS_PER_S
    whole, rest = divmod(seconds, 60)
    return f"{whole} min" if whole and not rest else f"{seconds} s"
