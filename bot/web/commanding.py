"""Routes that act: each command of the phone, with its grammar as the body, in the same session.

What needs a second step on the phone needs it here: the answer offers it with a number, and
`/v1/confirmations` settles it. With an `Idempotency-Key` a command is carried out once, however
often it is sent; where a role is away the answer is 503, and the same may be sent again.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.answer import Answer
from bot.command import CommandEntry, Kind
from bot.command_table import COMMANDS
from bot.dispatch import Dispatcher, Invocation, Refused, read_line
from bot.grammar import Argument, Form, Misread, parse_arguments
from bot.permitted import with_buttons_for
from bot.ranks import RANK_OF_KIND
from bot.render.plain import write_plain
from bot.session import ChatSession, Choice, Shared, Turn
from bot.web.bodies import read_body
from bot.web.given_once import Given, GivenOnce
from bot.web.problems import RefusedError
from bot.web.rates import Pace, Rates
from bot.web.route import Asked, Route, reply_with
from bot.web.sessions import Principal
from engine.domain.people import Rank
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings

KEY_CHARACTERS_MAX: Final = 64
WORD_MAX: Final = 160
LINE_MAX: Final = 400

_PATTERNS: Final = {
    Form.WORD: r"^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$",
    Form.PLACE: r"^[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,159}$",
    Form.AMOUNT: r"^[A-Za-z0-9+.,%-]{1,24}$",
    Form.CODE: r"^[A-Za-z0-9-]{4,32}$",
}


class Pressable(msgspec.Struct, frozen=True, kw_only=True):
    """A command that goes on from here."""

    label: str
    line: str


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A second step: `POST /v1/confirmations/{nonce}` settles it while it counts."""

    nonce: str
    action: str
    expires_s: int


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a command answered.

    Attributes:
        mark: good, warn, bad, or none.
        text: the whole screen, as a terminal shows it.
        document: name of a file that the phone would get; the questions have what is in it.
    """

    title: str
    mark: str
    text: str
    note: str
    buttons: list[Pressable]
    confirmation: Offered | None = None
    document: str | None = None


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line, as it would be typed in the chat."""

    line: Annotated[str, Meta(min_length=1, max_length=LINE_MAX)]


class Chosen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shall become of a second step."""

    is_yes: bool


@dataclass(slots=True, kw_only=True)
class Commanding:
    """Carries commands out.

    Attributes:
        shared: with all who come in by this gateway: a kill of one counts for all.
    """

    facade: Facade
    settings: FrontEndSettings
    clock: Callable[[], int]
    rates: Rates
    shared: Shared = field(init=False)
    _sessions: dict[tuple[str, Rank], ChatSession] = field(default_factory=dict, init=False)
    _given: "GivenOnce[Answered]" = field(default_factory=GivenOnce, init=False)

    def __post_init__(self) -> None:
        self.shared = Shared(self.settings.confirm_s)

    def routes(self) -> list[Route]:
        """Return a route for each command, and that of second steps."""
        return [*(self._route(entry) for entry in COMMANDS), self._saying(), self._confirming()]

    def _route(self, entry: CommandEntry) -> Route:
        return Route(
            method="POST",
            path=f"/v1/commands/{entry.name}",
            operation=f"command{entry.name.capitalize()}",
            tag="command",
            summary=f"{entry.short_help} (/{entry.name})",
            handler=partial(self._command, entry),
            rank=Rank.VIEWER,
            paces=(Pace.GENERAL,),
            body=body_schema(entry),
            reply=Answered,
            errors=(409,),
            is_kill=entry.name == "kill",
        )

    def _saying(self) -> Route:
        return Route(
            method="POST",
            path="/v1/lines",
            operation="say",
            tag="command",
            summary="Carry out a line as the chat takes it, such as that of a button.",
            handler=self._line,
            rank=Rank.VIEWER,
            paces=(),  # counted by hand, as a line may be a kill
            body=Said,
            reply=Answered,
            errors=(409,),
            example={"line": "/status"},
        )

    def _confirming(self) -> Route:
        return Route(
            method="POST",
            path="/v1/confirmations/{nonce}",
            operation="confirm",
            tag="command",
            summary="Settle a second step that a command offered.",
            handler=self._confirm,
            rank=Rank.OPERATOR,
            paces=(Pace.GENERAL, Pace.CONTROL),
            parameters=("nonce",),
            body=Chosen,
            reply=Answered,
            errors=(409,),
            example={"is_yes": True},
        )

    async def _command(self, entry: CommandEntry, asked: Asked) -> web.StreamResponse:
        given = await read_body(asked.request, dict[str, str | int | float])
        return await self._carry_out(asked, _invocation(entry, given))

    async def _line(self, asked: Asked) -> web.StreamResponse:
        said = await read_body(asked.request, Said)
        read = read_line(said.line)
        if isinstance(read, Refused) or not read.is_kill:
            self.rates.check(Pace.GENERAL, f"key {asked.who.key_id}", asked.address)
        if isinstance(read, Refused):
            return reply_with(shown(read.answer, confirm_s=self.settings.confirm_s))
        return await self._carry_out(asked, read)

    async def _carry_out(self, asked: Asked, invocation: Invocation) -> web.StreamResponse:
        needed = RANK_OF_KIND[invocation.kind]
        if not asked.who.rank.is_at_least(needed):
            raise RefusedError(HTTPStatus.FORBIDDEN, f"{invocation.shown} takes the rank {needed}")
        if invocation.kind is not Kind.READ and not invocation.tightens:
            self.rates.check(Pace.CONTROL, f"key {asked.who.key_id}", asked.address)
        return reply_with(await self._once(asked, invocation))

    async def _once(self, asked: Asked, invocation: Invocation) -> Answered:
        given = Given(line=invocation.line, epoch=self.shared.epoch, at_ns=self.clock())
        key = asked.request.headers.get("Idempotency-Key", "")
        if not key:
            return await self._answer(asked.who, invocation, given, ref="")
        if len(key) > KEY_CHARACTERS_MAX or not (key.isascii() and key.isprintable()):
            raise RefusedError(
                HTTPStatus.BAD_REQUEST,
                f"an Idempotency-Key has at most {KEY_CHARACTERS_MAX} printable characters",
            )
        ref = hashlib.sha256(f"{asked.who.key_id} {key}".encode()).hexdigest()[:24]
        return await self._given.once(
            (asked.who.key_id, key),
            given,
            lambda first: self._answer(asked.who, invocation, first, ref=f"api-{ref}"),
        )

    async def _answer(
        self, who: Principal, invocation: Invocation, given: Given, *, ref: str
    ) -> Answered:
        turn = Turn(
            asked=invocation, by=who.by, epoch=given.epoch, given_at_ns=given.at_ns, ref=ref
        )
        return await self._carried_out(self._session(who), turn, who.rank)

    async def _confirm(self, asked: Asked) -> web.StreamResponse:
        nonce = asked.request.match_info["nonce"]
        chosen = await read_body(asked.request, Chosen)
        session = self._session(asked.who)
        turn = Turn(
            asked=Choice(nonce, is_yes=chosen.is_yes),
            by=asked.who.by,
            epoch=session.epoch,
            given_at_ns=self.clock(),
        )
        return reply_with(await self._carried_out(session, turn, asked.who.rank))

    async def _carried_out(self, session: ChatSession, turn: Turn, rank: Rank) -> Answered:
        answers: list[Answer | None] = []

        async def deliver(answer: Answer | None) -> None:
            answers.append(answer)

        await session.answer(turn, deliver)
        answer = answers[-1] if answers else None
        if answer is None:
            raise RefusedError(
                HTTPStatus.CONFLICT, "this second step counts no more: send the command again"
            )
        if not answer.is_final:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                write_plain(answer.screen),
                headers={"Retry-After": "1"},
            )
        return shown(with_buttons_for(rank, answer), confirm_s=self.settings.confirm_s)

    def _session(self, who: Principal) -> ChatSession:
        key = (who.key_id, who.rank)
        if key not in self._sessions:
            dispatcher = Dispatcher(
                facade=self.facade, settings=self.settings, clock=self.clock, rank=who.rank
            )
            self._sessions[key] = ChatSession(dispatcher, self.shared)
        return self._sessions[key]


def shown(answer: Answer, *, confirm_s: int) -> Answered:
    """Return an answer as it is sent."""
    screen, offered = answer.screen, None
    if answer.confirmation is not None and answer.nonce is not None:
        offered = Offered(
            nonce=answer.nonce, action=answer.confirmation.action, expires_s=confirm_s
        )
    return Answered(
        title=screen.title,
        mark=screen.mark.name.lower(),
        text=write_plain(screen),
        note=screen.note,
        buttons=[
            Pressable(label=button.label, line=button.line)
            for row in answer.buttons
            for button in row
        ],
        confirmation=offered,
        document=None if answer.document is None else answer.document.file_name,
    )


def body_schema(entry: CommandEntry) -> dict[str, Any]:
    """Return the JSON schema of a command's arguments."""
    return {
        "title": f"{entry.name.capitalize()}Arguments",
        "type": "object",
        "properties": {one.name: _schema(one, most=_most(entry)) for one in entry.grammar},
        "required": [one.name for one in entry.grammar if one.is_required],
        "dependentRequired": _needed(entry.grammar),
        "additionalProperties": False,
    }


def _needed(grammar: Sequence[Argument]) -> dict[str, list[str]]:
    """Return which arguments each does not go without: those before it, as on the phone."""
    needed = {}
    for number, one in enumerate(grammar):
        before = [other.name for other in grammar[:number] if not _may_be_left_out(other)]
        if before:
            needed[one.name] = before
    return needed


def _may_be_left_out(argument: Argument) -> bool:
    """Say whether a later argument is never read as this one: no word is a number, or a choice."""
    return argument.may_be_skipped and argument.form in {Form.NUMBER, Form.CHOICE}


def _schema(argument: Argument, *, most: int | None) -> dict[str, Any]:
    match argument.form:
        case Form.NUMBER:
            return {
                "type": "integer",
                "minimum": argument.number_min,
                "maximum": argument.number_max,
            }
        case Form.CHOICE:
            return {"type": "string", "enum": [*argument.choices]}
        case Form.REST:
            bounds = {} if most is None else {"maxLength": most}
            return {"type": "string", "minLength": 1, "pattern": r"\S", **bounds}
        case _:
            return {"type": "string", "pattern": _PATTERNS[argument.form]}


def _invocation(entry: CommandEntry, given: Mapping[str, str | float]) -> Invocation:
    """Read the arguments of a command by the grammar of the phone.

    Raises:
        RefusedError: one is unknown, missing, or not what it may be (422).
    """
    known = [one.name for one in entry.grammar]
    for name in given:
        if name not in known:
            raise _unfit(
                f"there is no argument {name[:40]}; there are: {', '.join(known) or 'none'}"
            )
    said = (_word(entry, one, given[one.name]) for one in entry.grammar if one.name in given)
    read = parse_arguments(" ".join(said), entry.grammar)
    if isinstance(read, Misread):
        raise _unfit(read.why)
    for name in given:
        if name not in read.numbers and name not in read.texts:
            raise _unfit(f"{name} does not go without the argument before it")
    return Invocation(entry, read)


def _word(entry: CommandEntry, argument: Argument, value: str | float) -> str:
    """Return an argument as a person would write it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # to JSON schema 20.0 is an integer
    is_number = argument.form is Form.NUMBER
    if isinstance(value, str) == is_number or isinstance(value, float):
        raise _unfit(f"{argument.name} has to be a {'whole number' if is_number else 'text'}")
    text = str(value)
    if argument.form is not Form.REST and (not text or text.split() != [text]):
        raise _unfit(f"{argument.name} has to be one word")
    most = _most(entry)
    if most is not None and len(text) > most:
        raise _unfit(f"{argument.name} has {len(text)} characters, it may have {most}")
    return text


def _most(entry: CommandEntry) -> int | None:
    """Return how long an argument may be; a kill is not refused for many words."""
    return None if entry.name == "kill" else WORD_MAX


def _unfit(why: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, why)
