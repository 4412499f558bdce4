"""Screens about the second bot, the pager: what it says of the main bot, and the main bot of it."""

from enum import Enum, auto

from bot.render import words
from bot.render.screen import Mark, Screen, Text

_WORKS = Text("Here /kill, /pause, /cancel, /ack and /status work.")


class Trouble(Enum):
    """What is the matter with the main bot."""

    REFUSED = auto()
    CONFLICT = auto()
    BLIND = auto()


def render_pager_start() -> Screen:
    """Say what the pager is for."""
    return Screen(
        title="The pager",
        blocks=(
            Text("For when the main bot is gone: it takes what protects, and tells what is grave."),
            _WORKS,
            Text("Nothing here lets the engine do more. KILL as a word kills too."),
        ),
    )


def render_only_protective(line: str) -> Screen:
    """Say that the pager does not take a command."""
    return Screen(
        title=f"Not done: {line}",
        mark=Mark.WARN,
        blocks=(Text("The pager takes only what protects; write that to the main bot."), _WORKS),
    )


def render_trouble(trouble: Trouble, *, blind_s: float) -> Screen:
    """Say what is the matter with the main bot."""
    lines: tuple[str, ...]
    match trouble:
        case Trouble.REFUSED:
            title = "Telegram refuses the main bot's token"
            lines = (
                "It was revoked, or mistyped. What you write there does not arrive.",
                "@BotFather gives you a new one: TELEGRAM_BOT_TOKEN, and start anew.",
            )
        case Trouble.CONFLICT:
            title = "Another program uses the main bot's token"
            lines = (
                "Only what protects is taken there until it is gone.",
                "If it is not yours: revoke the token at @BotFather.",
            )
        case Trouble.BLIND:
            title = f"The main bot has not reached you for {words.duration(blind_s)}"
            lines = ("What is grave is told here meanwhile.",)
    return Screen(title=title, mark=Mark.BAD, blocks=(*map(Text, lines), _WORKS))


def render_main_back() -> Screen:
    """Say that the main bot is as it should be."""
    return Screen(title="The main bot works again", mark=Mark.GOOD)


def render_pager_refused() -> Screen:
    """Say in the main chat that the pager is gone."""
    return Screen(
        title="Telegram refuses the pager's token",
        mark=Mark.WARN,
        blocks=(
            Text("There is no second way to kill from the phone until it is taken again."),
            Text("@BotFather gives you a new one: SYNDICATE_TELEGRAM_PAGER_TOKEN."),
        ),
    )


def render_pager_conflict() -> Screen:
    """Say in the main chat that somebody else holds the pager's token."""
    return Screen(
        title="Another program uses the pager's token",
        mark=Mark.BAD,
        blocks=(
            Text("It can read what the pager says, and keep your kills from it."),
            Text("If it is not yours: revoke that token at @BotFather."),
        ),
    )
