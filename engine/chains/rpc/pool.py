"""Several providers of one chain as one node, none of them trusted alone.

Whoever is quickest, has the block in question and units left is asked; the next one when it fails
or takes unusually long. What a provider did is in its `Standing`, what all say of heads is compared
by `Pulse`, and `Agreeing` asks several at once where money depends on the answer.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from engine.chains.ports import Json, NodeError, Refusal, Topic
from engine.chains.rpc import checks, hearing
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.budget import Budget
from engine.chains.rpc.health import PoolHealth
from engine.chains.rpc.links import LinkLimits, Way
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.plans import plan_for
from engine.chains.rpc.pool_limits import PoolLimits
from engine.chains.rpc.provider import Provider
from engine.chains.rpc.racing import Answers, Hedges, Outcome, Race
from engine.chains.rpc.standing import Standing
from engine.chains.rpc.troubles import ProviderError, Trouble
from engine.domain.backoff import asked_wait_s
from engine.domain.recovery import OTHER_PROVIDER, Recovery

_SETTLED: Final = (Trouble.REVERTED, Trouble.TOO_MANY)
"""Errors that are answers: another provider would say the same."""

_MAY_BE_MISSED: Final = frozenset(
    ("eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts",
     "eth_getTransactionReceipt", "eth_getTransactionByHash")
)  # fmt: skip
"""Null is an answer to these only if nobody knows better."""


class ProviderPool:
    """A chain's providers as one node.

    Attributes:
        split: why nobody knows which of them tells the truth; empty otherwise.
        head: number of the newest block that is to be believed, None if nobody has told one.
        standings: what is known of each, in the order of the settings; then of those that were
            replaced and are asked on until one of the others was checked.
        changed: set when there are other providers, which have to be checked.

    Args:
        chain_id: what each has to call itself.
        rates: units per second of dearer keys, by host.
        tell: takes the name of a provider that was caught, and at what.
    """

    def __init__(
        self,
        chain_id: int,
        way: Way,
        limits: PoolLimits,
        *,
        rates: Mapping[str, float],
        tell: Callable[[str, str], None],
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.chain_id: Final = chain_id
        self.limits: Final = limits
        self.split = ""
        self.head: int | None = None
        self.standings: list[Standing] = []
        self._leaving: list[Standing] = []
        self.changed: Final = asyncio.Event()
        self.hedges: Final = Hedges()
        self._way = way
        self._rates = rates
        self._tell = tell
        self._now_s = now_s

    # ---- the node ----------------------------------------------------------------------------

    async def request(self, method: str, *params: Json) -> Json:
        """Ask one thing."""
        [answer] = await self.batch([(method, params)])
        if isinstance(answer, NodeError):
            raise answer
        return answer

    async def batch(self, asked: Sequence[Asked]) -> list[Json | NodeError]:
        """Ask several things of one and the same provider."""
        if not asked:
            return []
        self.check_split()
        best: list[Outcome] = []
        others = Recovery(OTHER_PROVIDER)

        def take(outcome: Outcome) -> bool:
            best.append(outcome)
            if outcome.answers is None:
                others.failed()
            else:
                others.works()
            return outcome.answers is not None and is_final(asked, outcome.answers)

        if checks.is_repeatable(asked):
            self.hedges.first()
            await self.race(asked).run(take)
        else:  # nobody knows what became of it if no answer comes
            first = self.ranked(asked)[:1]
            await self.race(asked, first, is_hedged=False).run(take)
        answered = [one.answers for one in best if one.answers is not None]
        if answered:
            return [*max(answered, key=lambda answers: _worth(asked, answers))]
        if others.is_failing:
            others.gave_up()
        raise self.why_none(asked, [one.error for one in best if one.error is not None])

    async def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        """Give what the best provider tells that has subscriptions; heads are polled without one.

        It ends when that provider falls behind the others, too. What a node need not have is asked
        of the next best one where it is refused.
        """
        self.check_split()
        asked: Asked = ("eth_subscribe", [topic])
        able = [one for one in self.standings if one.provider.has_subscriptions]
        ways = [
            hearing.hear(self, one, topic, params) for one in self.ranked([asked]) if one in able
        ]
        if topic is Topic.HEADS and not able:
            ways = [hearing.poll_heads(self)]
        if not ways:
            raise self.why_none([asked], [])
        last = ways[-1] if topic.is_optional else ways[0]
        for told in ways:
            try:
                async with aclosing(told):
                    async for word in told:
                        yield word
            except ProviderError as error:
                if told is last or error.trouble is not Trouble.REFUSED:
                    raise
            else:
                return

    # ---- for what is built on it -------------------------------------------------------------

    def ranked(self, asked: Sequence[Asked]) -> list[Standing]:
        """Return who may be asked this now, the best first."""
        needed = checks.block_needed(asked)
        wants_newest = checks.wants_newest(asked)

        def may(one: Standing) -> bool:
            if not one.is_trusted or one.budget.wait_s(one.budget.plan.cost_of(asked)) > 0:
                return False
            if wants_newest and one.lag > self.limits.lag_max:
                return False
            is_in_step = one.lag <= self.limits.lag_max
            return needed is None or is_in_step or (one.head or 0) >= needed

        return sorted(filter(may, self.standings), key=Standing.score)

    def race(
        self,
        asked: Sequence[Asked],
        standings: Sequence[Standing] | None = None,
        *,
        is_hedged: bool = True,
    ) -> Race:
        """Return a race for answers to these questions among these, or all that may be asked."""

        def patience_s(standing: Standing) -> float | None:
            if not is_hedged:
                return None
            usual_s = standing.usual_s(asked)
            return max(usual_s or self.limits.patience_s, self.limits.patience_s_min)

        entrants = self.ranked(asked) if standings is None else standings
        return Race(
            iter(entrants),
            lambda standing: self.ask(standing, asked),
            patience_s=patience_s,
            within_s=self.limits.within_s,
            hedges=self.hedges,
        )

    async def ask(self, standing: Standing, asked: Sequence[Asked]) -> Answers:
        """Ask one provider, and note what became of it.

        Raises:
            ProviderError: there are no answers that can be true.
        """
        standing.spend(asked)
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        try:
            answers = await standing.provider.ask(asked, within_s=self.limits.within_s)
            answers = checks.checked(asked, answers)
            _check_limited(standing, answers)
        except asyncio.CancelledError:
            standing.outrun(asked, loop.time() - started_s)
            raise
        except ProviderError as error:
            if error.trouble is Trouble.TIMEOUT:
                standing.outrun(asked, loop.time() - started_s)
            self.failed(standing, error)
            raise
        standing.took(asked, loop.time() - started_s)
        told = checks.newest_told(asked, answers)
        if told is not None:
            standing.knows(told)
        troubles = [one.trouble for one in answers if isinstance(one, ProviderError)]
        standing.provider.troubles.update(troubles)
        standing.answered_well()
        return answers

    def check_split(self) -> None:
        """Refuse to answer while nobody knows who tells the truth.

        Raises:
            ProviderError: so it is.
        """
        if self.split:
            raise ProviderError(Trouble.DISAGREED, self.split)

    def failed(self, standing: Standing, error: ProviderError) -> None:
        """Note that a provider gave no answer."""
        standing.provider.troubles[error.trouble] += 1
        standing.failed(error)

    def quarantine(self, standing: Standing, why: str) -> None:
        """Take nothing of a provider any more until it was checked, and tell so."""
        standing.provider.troubles[Trouble.DISAGREED] += 1
        standing.quarantine(why)
        self._tell(standing.provider.name, why)

    def why_none(self, asked: Sequence[Asked], errors: Sequence[ProviderError]) -> ProviderError:
        """Return why there is no answer at all."""
        if errors:
            return max(errors, key=lambda one: one.refusal is Refusal.LIED)
        trusted = [one for one in self.standings if one.is_trusted]
        if not trusted:
            whys = {one.why for one in self.standings if one.why} or {"none has answered yet"}
            caught = any(one.quarantines for one in self.standings)
            trouble = Trouble.DISAGREED if caught else Trouble.DISCONNECTED
            return ProviderError(trouble, f"no provider is trusted: {'; '.join(sorted(whys))}")
        if all(one.budget.wait_s(one.budget.plan.cost_of(asked)) > 0 for one in trusted):
            return ProviderError(Trouble.BUDGET_SPENT, "all providers want no questions now")
        if checks.block_needed(asked) is not None or checks.wants_newest(asked):
            return ProviderError(Trouble.BEHIND, "no provider knows that block yet")
        return ProviderError(Trouble.TIMEOUT, "no answer in time")

    def health(self) -> PoolHealth:
        """Return how the providers are, for a screen."""
        return PoolHealth(
            chain_id=self.chain_id,
            head=self.head,
            split=self.split,
            hedges=self.hedges.asked,
            hedges_won=self.hedges.won,
            providers=tuple(one.health(lag_max=self.limits.lag_max) for one in self._staying()),
        )

    # ---- keys --------------------------------------------------------------------------------

    async def use(self, accesses: Sequence[Access]) -> None:
        """Use these providers from now on; those that were there keep what is known of them.

        New ones are checked before they are asked anything, see `retire`.
        """
        old = {one.provider.access: one for one in self.standings}
        staying = [old[access] if access in old else self._new(access) for access in accesses]
        gone = [one for one in old.values() if one not in staying]
        self._leaving = [one for one in gone if one.is_trusted]
        self.standings = [*staying, *self._leaving]
        self.changed.set()
        for standing in gone:
            if standing not in self._leaving:
                await standing.provider.close()
        await self.retire()

    async def retire(self) -> None:
        """Ask those no more that were replaced, as soon as one that stays was checked.

        Until then they are asked on: keys that open nothing take the place of none that does.
        """
        staying, leaving = self._staying(), self._leaving
        if staying and not any(one.is_trusted for one in staying):
            return
        self._leaving = []
        self.standings = staying
        for standing in leaving:
            await standing.provider.close()

    def _staying(self) -> list[Standing]:
        return [one for one in self.standings if one not in self._leaving]

    def _new(self, access: Access) -> Standing:
        budget = Budget(plan_for(access.host, self._rates), self._now_s)

        def limited(retry_after: str) -> None:
            budget.refused(asked_wait_s(retry_after, at_s=time.time()))

        provider = Provider(access, self._way, self.limits.links, limited)
        return Standing(provider, budget, self._now_s)


@asynccontextmanager
async def open_pool(
    accesses: Sequence[Access], way: Way, links: LinkLimits | None = None
) -> AsyncIterator[ProviderPool]:
    """Open nodes of this machine for the block, which are taken for what they are.

    Providers of the world are opened by `open_providers`, which checks and watches them.
    """
    limits = PoolLimits(links=links or LinkLimits())
    pool = ProviderPool(0, way, limits, rates={}, tell=lambda _name, _why: None)
    await pool.use(accesses)
    for one in pool.standings:
        one.checked()
    try:
        yield pool
    finally:
        await pool.use([])


def is_final(asked: Sequence[Asked], answers: Answers) -> bool:
    """Say whether no other provider can know better."""
    return _worth(asked, answers) == len(answers)


def _worth(asked: Sequence[Asked], answers: Answers) -> int:
    """Return how many of the answers nobody can know better."""
    return sum(
        one.trouble in _SETTLED
        if isinstance(one, ProviderError)
        else one is not None or method not in _MAY_BE_MISSED
        for (method, _), one in zip(asked, answers, strict=True)
    )


def _check_limited(standing: Standing, answers: Answers) -> None:
    for answer in answers:
        if isinstance(answer, ProviderError) and answer.trouble is Trouble.LIMITED:
            standing.budget.refused(None)
            raise answer
