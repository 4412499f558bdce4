"""Discoveries: to be kept, looked for, and linked to what came of them."""

from typing import TYPE_CHECKING

from engine.bus.discovery_reports import (
    DiscoveriesKept,
    DiscoveriesReport,
    DiscoveryCounts,
    DiscoveryReport,
    EffectKept,
    Use,
)
from engine.bus.records import Appended
from engine.bus.reports import Unknown
from engine.bus.request import LedgerRequest
from engine.domain.discoveries import Discovery, Effect
from engine.domain.modes import Basis

if TYPE_CHECKING:
    from engine.storage.ledger import Ledger


class KeepDiscoveries(LedgerRequest[DiscoveriesKept], frozen=True, kw_only=True):
    """Keep what a run of a task found; asking again with the same run changes nothing.

    Attributes:
        task_run: name of the run, which no other run has.
        at_ns: when it was given what it rests on.
    """

    task: str
    agent: str
    task_run: str
    at_ns: int
    basis: Basis
    found: list[Discovery]

    async def answer(self, ledger: "Ledger", /) -> DiscoveriesKept:
        """See `Request.answer`."""
        return await ledger.discoveries.keep(self)


class KeepUse(LedgerRequest[Appended | Unknown], frozen=True, kw_only=True):
    """Link a discovery to the input that its advice became."""

    seq: int
    use: Use

    async def answer(self, ledger: "Ledger", /) -> Appended | Unknown:
        """See `Request.answer`."""
        return await ledger.discoveries.keep_use(self.seq, self.use)


class KeepChange(LedgerRequest[Appended | Unknown], frozen=True, kw_only=True):
    """Note what was otherwise because of a discovery, in a few words; the first time counts."""

    seq: int
    what: str

    async def answer(self, ledger: "Ledger", /) -> Appended | Unknown:
        """See `Request.answer`."""
        return await ledger.discoveries.keep_change(self.seq, self.what)


class KeepEffect(LedgerRequest[EffectKept | Unknown], frozen=True, kw_only=True):
    """Keep what a discovery was measured to change; without an effect it ends."""

    seq: int
    effect: Effect

    async def answer(self, ledger: "Ledger", /) -> EffectKept | Unknown:
        """See `Request.answer`."""
        return await ledger.discoveries.keep_effect(self.seq, self.effect)


class GetDiscoveries(LedgerRequest[DiscoveriesReport], frozen=True, kw_only=True):
    """Ask for discoveries: those in force first, then the most trusted and the newest.

    Attributes:
        kinds: of these only; of all if empty.
        words: that all stand in it, each from its beginning.
        is_in_force: without those that are over.
        is_advice: only those that advise something.
    """

    kinds: tuple[str, ...] = ()
    words: str = ""
    limit: int = 50
    is_in_force: bool = True
    is_advice: bool = False

    async def answer(self, ledger: "Ledger", /) -> DiscoveriesReport:
        """See `Request.answer`."""
        return await ledger.discoveries.load(self)


class GetDiscovery(LedgerRequest[DiscoveryReport | Unknown], frozen=True, kw_only=True):
    """Ask for one discovery with the history of its figures."""

    seq: int

    async def answer(self, ledger: "Ledger", /) -> DiscoveryReport | Unknown:
        """See `Request.answer`."""
        return await ledger.discoveries.load_one(self.seq)


class GetSimilar(LedgerRequest[DiscoveriesReport | Unknown], frozen=True, kw_only=True):
    """Ask for discoveries that are most like one, the most alike first."""

    seq: int
    limit: int = 10

    async def answer(self, ledger: "Ledger", /) -> DiscoveriesReport | Unknown:
        """See `Request.answer`."""
        return await ledger.discoveries.load_similar(self.seq, limit=self.limit)


class CountDiscoveries(LedgerRequest[DiscoveryCounts], frozen=True, kw_only=True):
    """Ask what was learned from an instant up to another, or up to now."""

    since_ns: int = 0
    until_ns: int | None = None

    async def answer(self, ledger: "Ledger", /) -> DiscoveryCounts:
        """See `Request.answer`."""
        return await ledger.discoveries.count(self.since_ns, self.until_ns)
