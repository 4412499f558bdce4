"""What is said in a chat without being asked."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.answer import Button
from bot.render.screen import Screen


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be said about one thing, or a burst of them.

    Attributes:
        thread: what it is about; news of the same thread replaces the message before.
        edits: that message, if there is one.
        is_urgent: ahead of everything that waits.
        is_silent: without a sound.
        on_shown: called once it stands in the chat, all of it; not where it was refused.
    """

    screen: Screen
    buttons: tuple[tuple[Button, ...], ...] = ()
    thread: str | None = None
    edits: int | None = None
    is_urgent: bool = False
    is_silent: bool = False
    on_shown: Callable[[], object] | None = None
