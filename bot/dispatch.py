"""From a line of text to an answer: the same for every chat."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from bot import command_table
from bot.answer import Answer, Button, Confirmation
from bot.chat_state import ChatState
from bot.command import AlertsOfChat, Call, CommandEntry, Kind
from bot.command_table import find, names
from bot.commands.common import answer_plainly
from bot.grammar import Arguments, Misread, nearest, parse_arguments, split_line
from bot.ranks import NotPermittedError, check_may_send
from bot.render.clean import clean
from bot.render.safety import render_declined
from bot.render.troubles import (
    render_away,
    render_failed,
    render_misread,
    render_not_permitted,
    render_unstored,
)
from engine.bus.reports import Declined
from engine.bus.request import Reply, Request
from engine.domain.errors import (
    AbsentError,
    BadValueError,
    SyndicateError,
    TransientError,
    UnstoredError,
)
from engine.domain.people import Rank
from engine.domain.units import NS_PER_S
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings
from engine.requests.presence import SignOfLife
from engine.requests.safety import Kill

_log = logging.getLogger(__name__)
_SHOWN_LIMIT = 40
_HELP = Button(label="Help", line="/help")

SIGN_S = 30
"""Signs of life are told so often at most."""

KILL_S_MAX = 3.0
"""Longest wait before a kill is answered; its latch is set long before."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A line that passed the grammar."""

    entry: CommandEntry
    arguments: Arguments

    @property
    def kind(self) -> Kind:
        """Return the kind of the command with its arguments."""
        return self.entry.kind_of(self.arguments)

    @property
    def is_kill(self) -> bool:
        """Say whether this sets the kill latch."""
        return self.entry.name == "kill"

    @property
    def tightens(self) -> bool:
        """Say whether this makes the engine do less; a bare /mode only shows."""
        return (
            self.kind is Kind.PROTECTIVE
            and self.entry.tightens
            and (self.entry.name != "mode" or self.arguments.text("mode") is not None)
        )

    @property
    def may_tighten(self) -> bool:
        """Say whether this, a change, may turn out to only make the engine do less."""
        may_when = self.entry.may_tighten_when
        return self.kind is Kind.CHANGE and may_when is not None and may_when(self.arguments)

    @property
    def is_screen(self) -> bool:
        """Say whether this only shows something, in a message that the next screen may replace."""
        return self.kind is Kind.READ or (self.kind is Kind.PROTECTIVE and not self.tightens)

    @property
    def line(self) -> str:
        """Return the line that asks for the same."""
        given = {**self.arguments.numbers, **self.arguments.texts}
        said = [str(given[one.name]) for one in self.entry.grammar if one.name in given]
        return " ".join([f"/{self.entry.name}", *said])

    @property
    def shown(self) -> str:
        """Return the line as it may be repeated in a chat; a code is never repeated."""
        words = [str(value) for value in self.arguments.numbers.values()]
        words += [text for name, text in self.arguments.texts.items() if name != "code"]
        return clean(" ".join([f"/{self.entry.name}", *words]), limit=_SHOWN_LIMIT)


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is no command, with the answer to it."""

    answer: Answer


def read_line(text: str) -> Invocation | Refused:
    """Parse a line; a line that is not understood is refused with the nearest known command."""
    split = split_line(text)
    if isinstance(split, Misread):
        word = text.split(maxsplit=1)[0] if text.strip() else ""
        return _refused(split, near=nearest(word, names(), is_bare=True), typed=word)
    name, rest = split
    entry = find(name)
    if entry is None:
        return _refused(Misread(f"/{name} is unknown"), near=nearest(name, names()), typed=name)
    arguments = parse_arguments(rest, entry.grammar)
    if isinstance(arguments, Misread):
        line = f"/{name} {arguments.nearest}" if arguments.nearest else entry.usage
        is_whole = arguments.nearest is not None
        return _refused(arguments, near=entry.name, line=line, is_whole=is_whole)
    return Invocation(entry, arguments)


def _refused(
    misread: Misread,
    *,
    near: str | None,
    typed: str = "",
    line: str = "",
    is_whole: bool | None = None,
) -> Refused:
    """Refuse with the help and what may have been meant, as a button too where that is whole.

    A kill is a button only for what begins like one: a typo of another command and one tap shall
    not kill.
    """
    entry = None if near is None else find(near)
    if entry is None:
        screen, buttons = render_misread(misread.why, suggestion=None), [_HELP]
    else:
        line = line or f"/{entry.name}"
        screen = render_misread(misread.why, suggestion=line)
        buttons = [Button(label=f"Help {entry.name}", line=f"/help {entry.name}")]
        if is_whole is None:
            is_whole = not any(argument.is_required for argument in entry.grammar)
        is_kill = entry.name == "kill"
        if is_whole and entry.is_on_buttons and (not is_kill or _looks_like_kill(typed)):
            label = "KILL" if is_kill else line
            buttons.insert(0, Button(label=label, line=line, is_alarming=is_kill))
    return Refused(Answer(screen=screen, buttons=(tuple(buttons),)))


def _looks_like_kill(typed: str) -> bool:
    return typed[:1].lower() == "k" and nearest(typed, ("kill",), is_bare=True) is not None


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Carries out what one person asks for, and turns every failure into an answer.

    Attributes:
        rank: what this person may have carried out.
    """

    facade: Facade
    settings: FrontEndSettings
    clock: Callable[[], int]
    read_chat: Callable[[], ChatState] = ChatState
    alerts: AlertsOfChat | None = None
    rank: Rank = Rank.ADMIN
    failed_count: int = field(default=0, init=False)
    _sign_ns: int = field(default=0, init=False)
    _telling: set["asyncio.Task[None]"] = field(default_factory=set, init=False)

    async def ask(self, request: Request[Reply], /) -> Reply:
        """Ask the facade, with a time limit.

        Raises:
            TransientError: no answer in time, or the role is away.
            NotPermittedError: it takes another rank.
        """
        check_may_send(self.rank, request)
        ask_s = self.settings.ask_s
        if isinstance(request, Kill):
            ask_s = min(ask_s, KILL_S_MAX)
        try:
            async with asyncio.timeout(ask_s):
                return await self.facade.ask(request)
        except TimeoutError:
            raise TransientError(
                f"no answer to {type(request).__name__} within {ask_s:g} s;"
                " /status shows whether it was carried out"
            ) from None

    def note_sign(self) -> None:
        """Tell the engines that somebody is there who can act; nothing waits for it."""
        if not self.rank.is_at_least(Rank.OPERATOR):
            return
        now_ns = self.clock()
        if 0 <= now_ns - self._sign_ns < SIGN_S * NS_PER_S:
            return
        self._sign_ns = now_ns
        task = asyncio.get_running_loop().create_task(self._tell_sign())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell_sign(self) -> None:
        try:
            await self.ask(SignOfLife())
        except SyndicateError as error:
            self._sign_ns = 0
            _log.info("a sign of life is not noted: %s", error)

    async def carry_out(
        self,
        invocation: Invocation,
        *,
        by: str,
        given_at_ns: int | None = None,
        is_late: bool = False,
        ref: str = "",
        refusal: Answer | None = None,
    ) -> Answer:
        """Run the handler of an invocation; without `given_at_ns` it was given now.

        With a refusal only what tightens is carried out; the refusal answers all else.
        """
        now_ns = self.clock()
        call = Call(
            ask=self.ask,
            by=by,
            arguments=invocation.arguments,
            given_at_ns=now_ns if given_at_ns is None else given_at_ns,
            is_late=is_late,
            ref=ref,
            now_ns=now_ns,
            settings=self.settings,
            table=command_table.COMMANDS,
            is_protective=invocation.kind is Kind.PROTECTIVE or refusal is not None,
            chat=self.read_chat(),
            line=invocation.shown,
            alerts=self.alerts,
            rank=self.rank,
            refusal=refusal,
        )
        try:
            return await invocation.entry.handler(call)
        except NotPermittedError as error:
            return Answer(screen=render_not_permitted(invocation.shown, needed=error.needed))
        except BadValueError as error:
            return Answer(screen=render_declined(Declined(why=str(error))))
        except UnstoredError as error:
            return Answer(screen=render_unstored(str(error), line=invocation.shown))
        except SyndicateError as error:
            screen = render_away(
                str(error),
                line=invocation.shown,
                may_be_done=invocation.kind is not Kind.READ,
            )
            return Answer(screen=screen, is_final=isinstance(error, AbsentError))
        except Exception:  # noqa: BLE001 - the boundary of a command; logged, counted, answered
            self.failed_count += 1
            _log.exception("%s failed", invocation.shown)
            return Answer(screen=render_failed(invocation.shown), is_final=False)

    async def confirm(self, confirmation: Confirmation) -> Answer:
        """Send the command of a second step."""
        try:
            return answer_plainly(await self.ask(confirmation.command), self.settings)
        except UnstoredError as error:
            return Answer(screen=render_unstored(str(error), line=confirmation.action))
        except SyndicateError as error:
            screen = render_away(str(error), line=confirmation.action, may_be_done=True)
            return Answer(screen=screen, is_final=isinstance(error, AbsentError | BadValueError))
        except Exception:  # noqa: BLE001 - the boundary of a command; logged, counted, answered
            self.failed_count += 1
            _log.exception("%s failed", confirmation.action)
            return Answer(screen=render_failed(confirmation.action), is_final=False)
