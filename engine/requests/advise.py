"""How background work advises the engine, and the role that follows chains."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from engine.bus.advice_reports import AdviceTaken
from engine.bus.request import Caller, ChainsRequest, EngineRequest
from engine.domain.advice import DatedAdvice, PathAdvice, PoolsAdvice
from engine.domain.errors import TransientError

if TYPE_CHECKING:
    from engine.operate.engine_answers import EngineAnswers


class Advise(EngineRequest[AdviceTaken], frozen=True, kw_only=True):
    """Go by this advice, in place of all that was advised before; no limit is loosened by any."""

    advice: tuple[DatedAdvice, ...]

    async def answer(self, engine: "EngineAnswers", /) -> AdviceTaken:
        """See `Request.answer`."""
        return engine.advice.take(self.advice)


class AdviseChains(ChainsRequest[AdviceTaken], frozen=True, kw_only=True):
    """Choose pools by this advice, in place of all that was advised before."""

    advice: tuple[DatedAdvice, ...]

    async def answer(self, chains: "AdvisedChains", /) -> AdviceTaken:
        """See `Request.answer`."""
        return chains.advise(self.advice)

    def merged(self, replies: Sequence[AdviceTaken], away: Mapping[str, str], /) -> AdviceTaken:
        """Return what all of them go by.

        Raises:
            TransientError: one is away, and goes by what it knew.
        """
        if away:
            raise TransientError("; ".join(sorted(away.values())))
        return AdviceTaken(
            in_force=sum(one.in_force for one in replies),
            is_changed=any(one.is_changed for one in replies),
            refused=[why for one in replies for why in one.refused],
        )


class AdvisedChains(Protocol):
    """What the role `chains` does with advice."""

    def advise(self, advice: Sequence[DatedAdvice]) -> AdviceTaken:
        """Go by it.

        Raises:
            BadValueError: nobody can go by such a set.
        """
        ...


async def pass_on(
    advice: Sequence[DatedAdvice], *, engine: Caller, chains: Caller | None
) -> list[AdviceTaken]:
    """Tell each role what concerns it.

    Raises:
        TransientError: one of them is away, or was told less than a second ago.
        BadValueError: nobody can go by such a set.
    """
    of_pools = tuple(one for one in advice if isinstance(one.advice, PoolsAdvice | PathAdvice))
    others = tuple(one for one in advice if not isinstance(one.advice, PoolsAdvice))
    taken = [await engine.call(Advise(advice=others))]
    if chains is not None:
        taken.append(await chains.call(AdviseChains(advice=of_pools)))
    return taken
