"""Which chains local nodes of the sandbox pose as in a run."""

from typing import Final

import msgspec

from engine.sandbox.world.packages import NoWorldError, anvil_path
from engine.settings.schema import Settings

NONE: Final = "none"
"""Stands in the setting for no chain; an empty variable is an unset one."""

USUAL: Final = ("arbitrum", "base", "polygon")
"""Where roles are processes and nobody says: those that agents learn about. A node takes 60 MB and
a hundredth of a core."""


def local_chains(settings: Settings) -> tuple[str, ...]:
    """Return the chains that are named, none if nobody says."""
    if settings.markets.source != "sandbox":
        return ()
    return tuple(one for one in settings.markets.sandbox_chains if one != NONE)


def with_usual_chains(settings: Settings) -> Settings:
    """Return settings that name the chains of a run of several processes."""
    if settings.markets.source != "sandbox" or settings.markets.sandbox_chains:
        return settings
    chains = [NONE] if why_no_chains(settings) else list(USUAL)
    return msgspec.structs.replace(
        settings, markets=msgspec.structs.replace(settings.markets, sandbox_chains=chains)
    )


def why_no_chains(settings: Settings) -> str:
    """Return the sentence to be told if there should be local chains and cannot be."""
    if settings.markets.source != "sandbox" or settings.markets.sandbox_chains == [NONE]:
        return ""
    try:
        anvil_path()
    except NoWorldError as error:
        return str(error)
    return ""
