"""Which chains a run follows, for roles that know nothing else of chains."""

import os
from collections.abc import Mapping
from typing import Final

from engine.chains.rpc.key_file import KeyFile
from engine.domain.chains import NETWORKS
from engine.domain.errors import BadValueError, SettingsError
from engine.settings.schema import Settings, environment_name

FOLLOWED_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_CHAINS"
"""Names the chains that are followed for roles that may not know their nodes."""


def key_file(settings: Settings) -> KeyFile:
    """Return the providers of the settings, which may stand in a file.

    Raises:
        SettingsError: they cannot be used.
    """
    try:
        return KeyFile(settings.chains.providers or "", tuple(NETWORKS))
    except BadValueError as error:
        raise SettingsError(f"{environment_name('chains', 'providers')}: {error}") from error


def followed_names(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return which chains live markets follow, also where their nodes are withheld.

    Raises:
        SettingsError: the nodes' addresses cannot be used.
    """
    if settings.chains.providers is not None:
        return sorted(key_file(settings).providers)
    named = environment.get(FOLLOWED_ENVIRONMENT_NAME, "").split(",")
    return [name for name in named if name in NETWORKS]
