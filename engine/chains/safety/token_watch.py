"""Keeps verdicts on the tokens that are wanted: one probe after another, the worthiest first.

A token enters when a verdict lets it and leaves when that runs out; a verdict is made anew before
it does, so that a token that stays safe stays in.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

import msgspec

from engine.chains.safety.prober import Market
from engine.chains.safety.verdict_store import VERDICTS_MAX, VerdictStore
from engine.domain.token_safety import Standing, Verdict
from engine.domain.tokens import NATIVE_ADDRESS

log = logging.getLogger(__name__)

WANTED_MAX: Final = 5_000
RENEWED_AT: Final = 0.75
"""Of its life a verdict has behind it when the token is probed again."""

LOOK_S: Final = 5.0
REST_RATIO: Final = 2.0
"""After a probe comes a rest of so many times as long, so that probing leaves the processor be.
The few tokens of the table have none: most of a chain's pools wait for them."""

UNKNOWN_S_MAX: Final = 6 * 3_600
"""A token that could not be probed is tried again after ten minutes, twice that, and so on."""

_DOUBLINGS_MAX: Final = 6


class Probes(Protocol):
    """Whoever can probe a token; `prober.Prober` does."""

    async def verdict(self, token: str, market: Market, *, now_s: int, is_curated: bool) -> Verdict:
        """Probe a token; whatever goes wrong leaves it unknown."""
        ...


class Wanted(NamedTuple):
    """A token that pools have which are followed.

    Attributes:
        worth_usd: of those pools, about: what is worth most is probed first.
        market: the best of those pools.
    """

    worth_usd: float
    market: Market
    is_curated: bool


class TokenWatch:
    """One chain's tokens and what is known of each.

    Attributes:
        probes_count: since the start.
        left_out_count: tokens that were wanted when no more could be.
        unsaved_count: verdicts that could not be written; they hold until the next start.
        is_idle: nothing is to be done but to wait.
    """

    def __init__(
        self,
        *,
        prober: Probes,
        store: VerdictStore,
        clock_s: Callable[[], float],
        told: Callable[[Verdict], None],
    ) -> None:
        """Begin with what was kept; `told` is given each verdict, and again when it runs out."""
        self.probes_count = 0
        self.left_out_count = 0
        self.unsaved_count = 0
        self.is_idle = False
        self._prober = prober
        self._store = store
        self._clock_s = clock_s
        self._told = told
        self._wanted: dict[str, Wanted] = {}
        self._verdicts = store.load()
        self._failures: dict[str, int] = {}
        self._not_before_s: dict[str, float] = {}
        self._expired: set[str] = set()
        self._woken = asyncio.Event()

    def verdict_of(self, token: str) -> Verdict | None:
        """Return the last verdict on a token, which may have run out; None if there is none."""
        return self._verdicts.get(token)

    def why_not(self, token: str) -> str:
        """Return why a token may not be in a route now, nothing if it may."""
        if token == NATIVE_ADDRESS:  # no contract, and what the chain itself is paid in
            return ""
        verdict = self._verdicts.get(token)
        if verdict is None:
            return "not probed yet"
        if verdict.may_enter(int(self._clock_s())):
            return ""
        if verdict.standing is Standing.SAFE:
            return "its verdict ran out"
        return f"{verdict.standing}: {verdict.reasons[0].text}"

    def want(self, token: str, wanted: Wanted) -> None:
        """Say that pools have this token, and where it is best bought."""
        if token not in self._wanted and len(self._wanted) >= WANTED_MAX:
            self.left_out_count += 1
            return
        self._wanted[token] = wanted
        self._woken.set()

    def want_no_more(self, token: str) -> None:
        """Say that no pool has it any more; its verdict stays."""
        self._wanted.pop(token, None)
        self._failures.pop(token, None)
        self._not_before_s.pop(token, None)

    @property
    def all(self) -> dict[str, Verdict | None]:
        """Return the last verdicts on all tokens that are wanted or were, None before a first."""
        return dict.fromkeys(self._wanted) | self._verdicts

    @property
    def trouble(self) -> str:
        """Return why verdicts are not kept, or were lost; empty if all is well."""
        return self._store.trouble

    @property
    def now_s(self) -> int:
        """Return the time by which verdicts are held."""
        return int(self._clock_s())

    def wanted_of(self, token: str) -> Wanted | None:
        """Return what is wanted of a token, None if nothing is."""
        return self._wanted.get(token)

    def is_wanted(self, token: str) -> bool:
        """Say whether pools have a token."""
        return token in self._wanted

    def standings(self) -> Counter[str]:
        """Return how many of the tokens that are wanted have which verdict, or wait for a first."""
        verdicts = map(self._verdicts.get, self._wanted)
        return Counter("waiting" if one is None else str(one.standing) for one in verdicts)

    @property
    def waiting_count(self) -> int:
        """Return how many tokens wait for a probe."""
        return sum(1 for token in self._wanted if self._is_due(token))

    async def run(self) -> None:
        """Probe for ever, and tell what runs out, however long a probe takes."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._tell_expired())
            tasks.create_task(self._probe_all())

    async def _probe_all(self) -> None:
        while True:
            self._woken.clear()
            token = self._next()
            self.is_idle = token is None
            if token is None:
                await self._pause(LOOK_S)
                continue
            is_curated = self._wanted[token].is_curated
            began_s = self._clock_s()
            await self._probe(token)
            if not is_curated:
                await asyncio.sleep(max(self._clock_s() - began_s, 0.0) * REST_RATIO)

    async def _probe(self, token: str) -> None:
        wanted = self._wanted[token]
        now_s = int(self._clock_s())
        verdict = await self._prober.verdict(
            token, wanted.market, now_s=now_s, is_curated=wanted.is_curated
        )
        self.probes_count += 1
        before = self._verdicts.get(token)
        if verdict.standing is Standing.UNKNOWN:
            failures = self._failures[token] = self._failures.get(token, 0) + 1
            doubled = 2 ** min(failures - 1, _DOUBLINGS_MAX)
            until_s = now_s + min((verdict.until_s - now_s) * doubled, UNKNOWN_S_MAX)
            self._not_before_s[token] = until_s
            verdict = msgspec.structs.replace(verdict, until_s=until_s)
            if before is not None and before.standing is not Standing.UNKNOWN:
                # What was found holds until it runs out: a provider that is away proves nothing.
                return
        else:
            self._failures.pop(token, None)
            self._not_before_s.pop(token, None)
        self._verdicts[token] = verdict
        self._expired.discard(token)
        self._forget_oldest()
        self._told(verdict)
        try:
            await asyncio.to_thread(self._store.save, list(self._verdicts.values()))
        except OSError as error:
            self.unsaved_count += 1
            log.warning("verdicts on tokens are not kept over a restart: %s", error)

    def _forget_oldest(self) -> None:
        """Keep to the bound: what nobody wants any more goes first, the oldest of it."""
        if len(self._verdicts) <= VERDICTS_MAX:
            return
        goes = min(
            self._verdicts,
            key=lambda one: (one in self._wanted, self._verdicts[one].judged_at_s),
        )
        del self._verdicts[goes]
        self._expired.discard(goes)

    def _next(self) -> str | None:
        """Return the token that is due and that most depends on."""
        due = [token for token in self._wanted if self._is_due(token)]
        return max(
            due,
            key=lambda one: (self._wanted[one].is_curated, self._wanted[one].worth_usd),
            default=None,
        )

    def _is_due(self, token: str) -> bool:
        now_s = self._clock_s()
        if now_s < self._not_before_s.get(token, 0.0):
            return False
        verdict = self._verdicts.get(token)
        if verdict is None or verdict.standing is Standing.UNKNOWN:
            return True
        life_s = verdict.until_s - verdict.judged_at_s
        return not verdict.judged_at_s <= now_s < verdict.judged_at_s + life_s * RENEWED_AT

    async def _tell_expired(self) -> None:
        while True:
            now_s = int(self._clock_s())
            for token, verdict in self._verdicts.items():
                if token not in self._expired and now_s >= verdict.until_s:
                    self._expired.add(token)
                    self._told(verdict)
            await asyncio.sleep(LOOK_S)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
