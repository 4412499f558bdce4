"""What a command is, and what its handler gets."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bot.alerts.machine import AlertMachine
from bot.answer import Answer
from bot.chat_state import ChatState
from bot.grammar import Argument, Arguments
from engine.bus.command import AnyCommand, seal
from engine.bus.notices import AlertAct
from engine.bus.request import Reply, Request
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S
from engine.facade.front_end import FrontEndSettings


class Ask(Protocol):
    """Has a request answered."""

    async def __call__(self, request: Request[Reply], /) -> Reply:
        """Ask; raises `SyndicateError`."""
        ...


HOME = "status"
"""The command whose screen all others stand below."""


class AlertsOfChat(Protocol):
    """The alerts of the chat in which a command was given."""

    @property
    def machine(self) -> AlertMachine:
        """What fires, and the operator's terms."""
        ...

    async def act(self, act: AlertAct, /) -> bool:
        """Carry an act out here and for all chats; say whether it is stored."""
        ...

    async def try_ways_out(self) -> tuple[list[str], list[str]]:
        """Send a trial out by all ways beside the chat; return which services took it or not."""
        ...


class Kind(StrEnum):
    """What a command may do, which decides how carefully it is accepted."""

    READ = "read"
    """Shows something."""
    PROTECTIVE = "protective"
    """Makes the engine do less, or the chat be otherwise loud: always honoured, in one step."""
    CHANGE = "change"
    """Lets the engine do more: only fresh, and with a second step."""


class Topic(StrEnum):
    """Where a command stands in the help."""

    OVERVIEW = "overview"
    MARKET = "market"
    MONEY = "money"
    SAFETY = "safety"
    PERMITS = "permits"
    NOTICES = "notices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One invocation of a command.

    Attributes:
        ask: the facade, with a time limit.
        by: who asks, as the records will show it.
        given_at_ns: when the operator asked, which may be long before now.
        is_late: it waited at Telegram or in the inbox while nobody took it.
        ref: the message that it came in; empty if it cannot be told again.
        table: all commands, for the help.
        is_protective: it can only make the engine do less.
        chat: how the chat itself is doing.
        line: as it may be repeated, without a code.
        alerts: those of this chat.
        rank: what the person who asks may do.
        refusal: why it may not let the engine do more just now, as it is answered; only what
            tightens is carried out then.
    """

    ask: Ask
    by: str
    arguments: Arguments
    given_at_ns: int
    is_late: bool
    ref: str
    now_ns: int
    settings: FrontEndSettings
    table: tuple["CommandEntry", ...]
    is_protective: bool
    chat: ChatState = field(default_factory=ChatState)
    line: str = ""
    alerts: AlertsOfChat | None = None
    rank: Rank = Rank.ADMIN
    refusal: Answer | None = None

    def seal(
        self, command: AnyCommand, *, at_ns: int | None = None, target: str | None = None
    ) -> AnyCommand:
        """Put a command into its envelope; without `at_ns` it is of when the operator asked.

        Without `target` it is for the engine of this chat.

        What only tightens never comes too late. What lets the engine do more has to arrive while
        its second step counts and its answer is waited for.
        """
        lasts_s = max(self.settings.command_age_s_max, self.settings.confirm_s)
        lasts_ns = lasts_s * NS_PER_S + int(self.settings.ask_s * NS_PER_S)
        return seal(
            command,
            by=self.by,
            at_ns=self.given_at_ns if at_ns is None else at_ns,
            ref=self.ref,
            is_late=self.is_late,
            target=self.settings.engine_id if target is None else target,
            expires_at_ns=None if self.is_protective else self.now_ns + lasts_ns,
        )


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """One row of the command table.

    Attributes:
        short_help: at most 38 characters, for menus.
        long_help: sentences that say what is shown or changed.
        is_on_buttons: a button may carry it; false where the line itself is the second step.
        parent: command whose screen stands above this one; empty for the first screen.
        tightens: a PROTECTIVE one makes the engine do less; else only the chat is otherwise loud.
        protective_when: arguments with which a CHANGE command is protective.
        changes_when: arguments with which a READ command is a CHANGE.
        may_tighten_when: arguments with which a CHANGE command may turn out to only tighten, which
            the engine alone can say: where a change is refused, so much of it is carried out.
    """

    name: str
    topic: Topic
    kind: Kind
    short_help: str
    long_help: tuple[str, ...]
    handler: Handler
    aliases: tuple[str, ...] = ()
    grammar: tuple[Argument, ...] = ()
    is_on_buttons: bool = True
    parent: str = HOME
    tightens: bool = True
    protective_when: Callable[[Arguments], bool] | None = None
    changes_when: Callable[[Arguments], bool] | None = None
    may_tighten_when: Callable[[Arguments], bool] | None = None

    @property
    def usage(self) -> str:
        """Return the usage line."""
        return " ".join([f"/{self.name}", *(argument.usage for argument in self.grammar)])

    def kind_of(self, arguments: Arguments) -> Kind:
        """Return the kind of this command with these arguments."""
        if self.protective_when is not None and self.protective_when(arguments):
            return Kind.PROTECTIVE
        if self.changes_when is not None and self.changes_when(arguments):
            return Kind.CHANGE
        return self.kind
