"""THE list of background tasks: what is in it is scheduled, shown, and interrupted by the tests."""

from typing import Any, Final

from engine.background.ports import Task

TASKS: Final[tuple[Task[Any], ...]] = ()
