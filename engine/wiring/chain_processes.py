"""Which processes follow a run's chains: one for all of them, or one for each by setting."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from engine.bus.request import Caller, ChainsRequest, Reply, Request
from engine.bus.transport import RoleCaller
from engine.domain.chains import CHAINS
from engine.domain.errors import BadValueError, TransientError
from engine.settings.schema import Settings
from engine.wiring.followed_chains import followed_names
from engine.wiring.local_chains import local_chains

ROLE: Final = "chains"


def chain_names(settings: Settings) -> list[str]:
    """Return the chains with nodes that a run follows.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
    """
    if settings.markets.source == "sandbox":
        return [one for one in local_chains(settings) if one in CHAINS]
    return followed_names(settings)


def chain_roles(settings: Settings) -> dict[str, list[str]]:
    """Return the roles that follow chains, and which chains each.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
    """
    names = chain_names(settings)
    if settings.chains.processes == "one":
        return {ROLE: names}
    return {role_of(name): [name] for name in names}


def chain_of(role: str) -> str:
    """Return the chain of a role that follows one, empty for all."""
    return role.removeprefix(ROLE).removeprefix("-")


def role_of(chain: str) -> str:
    """Return the role that follows one chain, or all if it is empty."""
    return f"{ROLE}-{chain}" if chain else ROLE


class ManyChains:
    """Asks each of several processes, and makes one answer of theirs; obeys `bus.request.Caller`.

    Args:
        callers: of each process, by its chain.
    """

    def __init__(self, callers: Mapping[str, RoleCaller]) -> None:
        self._callers = callers

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """Ask all of them at once; those that are away are named in the answer.

        Raises:
            TransientError: all are away.
        """
        if not isinstance(request, ChainsRequest):
            raise BadValueError(f"{type(request).__name__} is no question about chains")
        if self._callers and (chain := request.of_chain()):
            own = self._callers.get(chain) or next(iter(self._callers.values()))
            return await own.call(request, timeout_s=timeout_s)
        asked = request.of_part()
        replies: list[Reply] = []
        away: dict[str, str] = {}

        async def ask(chain: str, caller: RoleCaller) -> None:
            try:
                replies.append(await caller.call(asked, timeout_s=timeout_s))
            except TransientError as error:
                away[chain] = str(error)

        async with asyncio.TaskGroup() as tasks:
            for chain, caller in self._callers.items():
                tasks.create_task(ask(chain, caller))
        if not replies:
            raise TransientError("; ".join(sorted(set(away.values()))) or "no chain is followed")
        merged: Reply = request.merged(replies, away)
        return merged


def caller_of_chains(
    callers: Mapping[str, RoleCaller], roles: Mapping[str, Sequence[str]]
) -> Caller:
    """Return what asks all processes that follow chains as if they were one."""
    if ROLE in roles:
        return callers[ROLE]
    return ManyChains({chain: callers[role] for role, (chain,) in roles.items()})
