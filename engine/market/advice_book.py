"""What is advised now, by kind: replaced as a whole by an input, each piece until its time.

Time is that of inputs, so that a replay goes by the same advice. An empty book is asked nothing.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeVar

from engine.domain.advice import (
    ADVICE_MAX,
    ANY_HOUR,
    AnyAdvice,
    DatedAdvice,
    InclusionAdvice,
    PathAdvice,
    PoolsAdvice,
    PriorityAdvice,
    ThresholdProposal,
)
from engine.domain.opportunities import Hop, HopKind
from engine.domain.units import NS_PER_HOUR

NEVER_NS: Final = 1 << 62
CHANGED_MAX: Final = 2 * ADVICE_MAX
ORDER: Final = "an order"
DECISION: Final = "a decision"
BID: Final = "a bid"
SCHEDULE: Final = "a schedule"
WATCHED: Final = "what is looked at"
HOURS: Final = 24

Turn = tuple[str, str, str]
"""A chain, and two of its tokens of which one is turned into the other."""

Kind = TypeVar("Kind", bound=AnyAdvice)


class AdviceBook:
    """The advice in force.

    What decisions ask is looked up, however much there is.

    Attributes:
        all: every piece, in the order in which it was said.
        ends_at_ns: when the first of them ends.
        ranks: whether any says which of several opportunities goes first.
        changed: what was otherwise because of a piece, by the numbers of the newest discoveries: a
            decision, an order, a bid, a schedule or what is looked at. Nothing goes by it.
    """

    def __init__(self) -> None:
        self.all: tuple[DatedAdvice, ...] = ()
        self.ends_at_ns = NEVER_NS
        self.ranks = False
        self.changed: dict[int, str] = {}
        self._by_subject: dict[tuple[type, str], DatedAdvice] = {}
        self._of_chain: dict[str, list[str]] = {}
        self._paths: dict[frozenset[Turn], list[str]] = {}
        self._priorities: dict[str, list[tuple[PriorityAdvice, str]]] = {}

    def take(self, advice: Iterable[DatedAdvice], at_ns: int) -> None:
        """Take all that is advised; what has ended by now is left out."""
        self.all = tuple(one for one in advice if one.until_ns > at_ns)
        self.ends_at_ns = min((one.until_ns for one in self.all), default=NEVER_NS)
        self.ranks = any(
            isinstance(one.advice, PriorityAdvice | InclusionAdvice) for one in self.all
        )
        self._by_subject = {(type(one.advice), one.advice.subject): one for one in self.all}
        self._of_chain, self._paths, self._priorities = {}, {}, {}
        for one in self.all:
            self._index(one)

    def changes(self, kind: type[AnyAdvice], subject: str, what: str) -> None:
        """Note what is otherwise because of a piece; what it changed first stays."""
        one = self._by_subject.get((kind, subject))
        if one is not None and one.discovery:
            self.changed.setdefault(one.discovery, what)
            if len(self.changed) > CHANGED_MAX:
                del self.changed[next(iter(self.changed))]

    def _index(self, one: DatedAdvice) -> None:
        advice = one.advice
        if isinstance(advice, PriorityAdvice):
            self._priorities.setdefault(advice.pair, []).append((advice, one.says))
        elif isinstance(advice, PathAdvice):
            turned = zip(advice.tokens, (*advice.tokens[1:], advice.tokens[0]), strict=True)
            turns = frozenset((advice.chain, *ends) for ends in turned)
            self._paths.setdefault(turns, []).append(one.says)
        elif not isinstance(advice, ThresholdProposal | PoolsAdvice):
            self._of_chain.setdefault(advice.chain, []).append(one.says)

    def step_clock(self, step_ns: int) -> None:
        """Keep what holds as long as it does, whatever the clock was set by."""
        moved = [
            DatedAdvice(
                discovery=one.discovery,
                until_ns=min(max(one.until_ns + step_ns, 1), NEVER_NS),
                advice=one.advice,
            )
            for one in self.all
        ]
        self.take(moved, 0)

    def of(self, kind: type[Kind]) -> list[tuple[DatedAdvice, Kind]]:
        """Return all advice of a kind."""
        return [(one, one.advice) for one in self.all if isinstance(one.advice, kind)]

    def about(self, kind: type[Kind], subject: str) -> Kind | None:
        """Return the advice of a kind about something, None if there is none."""
        one = self._by_subject.get((kind, subject))
        return None if one is None else one.advice  # type: ignore[return-value]  # by its key

    def rank(self, hops: Sequence[Hop], profit_usd: float, at_ns: int) -> float:
        """Return how much is to be expected of an opportunity, for the order of several."""
        ratio = min((one.ratio for one, _ in self._priorities_of(hops, at_ns)), default=1.0)
        chain = chain_of(hops)
        if chain:
            inclusion = self.about(InclusionAdvice, chain)
            if inclusion is not None:
                ratio *= inclusion.ratio(profit_usd, 1)
        return profit_usd * ratio

    def reorders(self, hops: Sequence[Hop], at_ns: int) -> None:
        """Note that a route has another place among several than without advice."""
        chain = chain_of(hops)
        if chain:
            self.changes(InclusionAdvice, chain, ORDER)
        for piece, _ in self._priorities_of(hops, at_ns):
            self.changes(PriorityAdvice, piece.subject, ORDER)

    def bears_on(self, hops: Sequence[Hop], at_ns: int) -> tuple[str, ...]:
        """Return what of it bears on a route, in words."""
        found: list[str] = []
        if self._of_chain:
            for chain in dict.fromkeys(hop.chain for hop in hops):
                found += self._of_chain.get(chain, ())
        if self._paths:
            turns = frozenset((hop.chain, hop.source, hop.target) for hop in hops)
            found += self._paths.get(turns, ())
        return (*found, *(says for _, says in self._priorities_of(hops, at_ns)))

    def _priorities_of(
        self, hops: Sequence[Hop], at_ns: int
    ) -> Iterator[tuple[PriorityAdvice, str]]:
        if not self._priorities:
            return
        first, hour = hops[0], at_ns // NS_PER_HOUR % HOURS
        venues = {hop.venue for hop in hops}
        for pair in ("", f"{first.target}-{first.source}", f"{first.source}-{first.target}"):
            for one in self._priorities.get(pair, ()):
                if one[0].hour in (ANY_HOUR, hour) and set(one[0].venues) <= venues:
                    yield one


def chain_of(hops: Sequence[Hop]) -> str:
    """Return the chain of a route's one transaction, whether or not it has books beside it."""
    if any(hop.kind is HopKind.BRIDGE for hop in hops):
        return ""
    chains = {hop.chain for hop in hops if hop.kind is HopKind.POOL}
    return chains.pop() if len(chains) == 1 else ""
