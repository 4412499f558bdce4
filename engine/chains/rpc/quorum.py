"""Answers on which several providers agree: what decides money is not believed of one.

The answers to questions about a block named by its hash are the same at all honest nodes, for ever.
Whoever differs from the majority is quarantined. Other questions go to one provider as always.
"""

from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from typing import Final

import msgspec

from engine.chains.ports import Json, NodeError, Topic
from engine.chains.rpc import checks
from engine.chains.rpc.block_logs import sense_of
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import ProviderPool, is_final
from engine.chains.rpc.racing import Answers, Outcome
from engine.chains.rpc.standing import Standing
from engine.chains.rpc.troubles import ProviderError, Trouble

_encoder: Final = msgspec.json.Encoder(order="deterministic")


class Agreeing:
    """A node whose answers about named blocks are those of so many providers.

    Args:
        votes: how many have to agree, or all there are if there are fewer; 1 is the pool as it is.
    """

    def __init__(self, pool: ProviderPool, votes: int) -> None:
        self._pool = pool
        self._votes_max = votes

    @property
    def _votes(self) -> int:
        """How many have to agree, of those that the settings name; not of those that answer."""
        return min(self._votes_max, len(self._pool.standings))

    async def request(self, method: str, *params: Json) -> Json:
        """Ask one thing."""
        [answer] = await self.batch([(method, params)])
        if isinstance(answer, NodeError):
            raise answer
        return answer

    async def batch(self, asked: Sequence[Asked]) -> list[Json | NodeError]:
        """Ask several things; all answers of a batch are those of the same majority."""
        if self._votes <= 1 or not all(checks.is_of_named_block(*one) for one in asked):
            return await self._pool.batch(asked)
        return [*await self._agreed(asked)]

    def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json, None]:
        """Give what the best provider tells."""
        return self._pool.subscribe(topic, params)

    async def _agreed(self, asked: Sequence[Asked]) -> Answers:
        votes: dict[Hashable, list[tuple[Standing, Answers]]] = {}
        errors: list[ProviderError] = []
        not_known: list[Answers] = []

        def take(outcome: Outcome) -> bool:
            if outcome.answers is None:
                if outcome.error is not None:
                    errors.append(outcome.error)
                return False
            if not is_final(asked, outcome.answers):
                not_known.append(outcome.answers)  # it lacks the block: that is no vote
                return False
            same = votes.setdefault(_sense(asked, outcome.answers), [])
            same.append((outcome.standing, outcome.answers))
            return len(same) == self._votes

        self._pool.hedges.first()
        is_agreed = await self._pool.race(asked).run(take, at_once=self._votes)
        if is_agreed:
            best = max(votes.values(), key=len)
            for others in votes.values():
                if others is not best:
                    self._catch(asked, [standing for standing, _ in others], len(best))
            return best[0][1]
        if len(votes) > 1:
            raise _disagreed(asked, [one for same in votes.values() for one, _ in same])
        if not votes and not_known and not errors:
            return not_known[0]
        there = sum(map(len, votes.values()))
        text = f"{there} of {self._votes} providers answered that have to agree"
        raise (
            self._pool.why_none(asked, errors)
            if errors
            else ProviderError(Trouble.DISCONNECTED, text)
        )

    def _catch(self, asked: Sequence[Asked], liars: Sequence[Standing], against: int) -> None:
        for standing in liars:
            method = asked[0][0]
            self._pool.quarantine(
                standing, f"its answer to {method} was not that of {against} others"
            )


def _disagreed(asked: Sequence[Asked], standings: Sequence[Standing]) -> ProviderError:
    """Count and name providers of which nobody knows who tells the truth."""
    for one in standings:
        one.provider.troubles[Trouble.DISAGREED] += 1
    names = sorted(one.provider.name for one in standings)
    return ProviderError(Trouble.DISAGREED, f"{asked[0][0]}: {', '.join(names)} do not agree")


def _sense(asked: Sequence[Asked], answers: Answers) -> Hashable:
    """Return what answers mean, so that those of different programs compare equal."""
    return tuple(
        _sense_of(method, params, answer)
        for (method, params), answer in zip(asked, answers, strict=True)
    )


def _sense_of(method: str, params: Sequence[Json], answer: Json | ProviderError) -> Hashable:
    if isinstance(answer, ProviderError):
        return answer.trouble
    if isinstance(answer, str):
        return answer.lower()
    if method == "eth_getLogs" and isinstance(params[0], dict):
        return sense_of(checks.parse_logs(answer, params[0]))
    if method == "eth_getBlockByHash":
        return parse_block(answer)
    return _encoder.encode(answer)
