"""Wrong passwords are paced: whoever guesses waits, whichever door they guess at.

To open a sealed key takes a second and 260 MB, so it is one at a time. After some wrong passwords
in a row nothing is opened for a while, longer each time, so that who guesses gets nowhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from engine.domain.errors import FatalError, SettingsError
from engine.domain.units import NS_PER_S

FREE: Final = 4
"""So many wrong ones in a row cost nothing: a person's typing errors."""

WAIT_S_FIRST: Final = 2
WAIT_S_MAX: Final = 300
_DOUBLINGS_MAX: Final = 8


class PasswordPace:
    """The one pace of all that is opened with a password.

    Args:
        steady_ns: a clock that nobody sets, nanoseconds.
    """

    def __init__(self, steady_ns: Callable[[], int]) -> None:
        self._steady_ns: Final = steady_ns
        self._turn: Final = asyncio.Lock()
        self._wrong = 0
        self._until_ns = 0

    @asynccontextmanager
    async def trying(self) -> AsyncIterator[None]:
        """Open something with a password in here; a `FatalError` in here counts as a wrong one.

        So does a try that whoever asked did not wait for: they could guess without an end.

        Raises:
            SettingsError: it is too early for another try.
        """
        async with self._turn:
            left_ns = self._until_ns - self._steady_ns()
            if left_ns > 0:
                raise SettingsError(
                    f"{self._wrong} wrong passwords in a row: none is looked at for"
                    f" {-(-left_ns // NS_PER_S)} s more"
                )
            try:
                yield
            except (FatalError, asyncio.CancelledError):
                self._count()
                raise
            self._wrong = 0

    def _count(self) -> None:
        self._wrong += 1
        beyond = self._wrong - FREE
        if beyond > 0:
            wait_s = min(WAIT_S_FIRST << min(beyond - 1, _DOUBLINGS_MAX), WAIT_S_MAX)
            self._until_ns = self._steady_ns() + wait_s * NS_PER_S
