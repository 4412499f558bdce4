"""The chat tells the signer what persons say, before the engine, and takes back what failed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from engine.bus.command import seal
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import Reply, Request, Roles
from engine.bus.signing import Heard, HearWord, TakeBackWords
from engine.domain.approvals import ApprovalAct
from engine.domain.errors import TransientError
from engine.domain.mandates import Scope, ScopeKind
from engine.domain.modes import Mode
from engine.domain.plans import digest_of_plan
from engine.domain.words import mandate_id_of
from engine.facade.witness import KEYLESS, UNSEEN, ChatWitness
from engine.requests.approvals import AnswerApproval, GrantMandate, RevokeMandate
from engine.requests.presence import PromptShown
from engine.requests.safety import SetMode
from engine.requests.transactions import UnpauseContract
from engine.signing.journal import Journal
from engine.signing.words import Words
from tests.signing.intents import NOW_NS, make_plan
from tests.signing.saying import WORD_KEY

DONE = Acknowledged(text="done", is_killed=False, is_paused=False, mode=Mode.APPROVE)
PLAN = make_plan(is_live=True)
DIGEST = digest_of_plan(PLAN)


class Signer:
    """The signer's side of the wire, with its own record of words."""

    def __init__(self) -> None:
        self.words = Words(key=WORD_KEY, journal=Journal(Path(":memory:")))
        self.is_away = False
        self.taken_back: list[TakeBackWords] = []

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del timeout_s
        if self.is_away:
            raise TransientError("the signer is away")
        if isinstance(request, HearWord):
            self.words.hear(request.word, NOW_NS)
        elif isinstance(request, TakeBackWords) and request.transfer_id:
            self.taken_back.append(request)
        elif isinstance(request, TakeBackWords):
            self.words.take_back(
                request.engine,
                mandate_id=request.mandate_id,
                chain=request.chain,
                is_all=request.is_all,
            )
        return cast("Reply", Heard())


@dataclass
class Asked:
    """What a chat asks: an engine that answers as it is told, and the signer."""

    signer: Signer = field(default_factory=Signer)
    reply: Acknowledged | Declined = DONE
    looks: Callable[[], Any] = lambda: None
    seen: list[Any] = field(default_factory=list)
    key: bytes | None = WORD_KEY

    def __post_init__(self) -> None:
        self.witness = ChatWitness(self.signer, self.key, lambda: NOW_NS)
        self.engine = self

    async def engines(self) -> dict[str, Any]:
        return {"main": self}

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        del request, timeout_s
        self.seen.append(self.looks())
        return cast("Reply", self.reply)

    def ask(self, request: Any) -> Any:
        return asyncio.run(request.ask(cast("Roles", self)))

    def say(self, command: Any) -> Any:
        return self.ask(seal(command, by="ann", at_ns=NOW_NS))

    def approved(self) -> str:
        return self.signer.words.why_not_approved(DIGEST, "main", plan_digest="p", usd=Decimal(1))

    def live(self) -> str:
        return self.signer.words.why_not_gone_live("main", 7)

    def let_run(self) -> str:
        return self.signer.words.why_not_run("base", now_ns=NOW_NS)

    def shows(self, *, is_sent: bool = True) -> None:
        self.ask(PromptShown(nonce="n1", digest=DIGEST, is_sent=is_sent))


def approve(nonce: str = "n1", said: ApprovalAct = ApprovalAct.APPROVE) -> AnswerApproval:
    return AnswerApproval(nonce=nonce, said=said)


def grant(**changes: Any) -> GrantMandate:
    terms: dict[str, Any] = {
        "scope": Scope(kind=ScopeKind.ANY),
        "each_usd_max": Decimal(5_000),
        "total_usd_max": Decimal(5_000),
        "edge_bps_min": Decimal(0),
        "lasts_s": 60,
        "is_confirmed": True,
    }
    return GrantMandate(**terms | changes)


LETS_RUN = UnpauseContract(chain="base", is_confirmed=True)
GOES_LIVE = SetMode(mode=Mode.LIVE, is_confirmed=True)


def test_what_a_person_approves_is_what_the_chat_showed_and_the_signer_hears_of_it_first() -> None:
    asked = Asked()
    asked.looks = asked.approved
    asked.shows()
    assert asked.approved()

    assert asked.say(approve()) == DONE
    assert asked.seen[-1] == "", "when the engine hears of it the signer has"


@pytest.mark.parametrize("said", [ApprovalAct.REJECT, ApprovalAct.HALVE, ApprovalAct.SNOOZE])
def test_no_other_word_on_a_prompt_approves(said: ApprovalAct) -> None:
    asked = Asked()
    asked.shows()
    asked.say(approve(said=said))
    assert asked.approved()


def test_what_the_chat_has_not_shown_itself_is_not_vouched_for() -> None:
    asked = Asked()
    reply = asked.say(approve("n2"))
    assert reply == Declined(why=UNSEEN)
    assert asked.seen == []


def test_a_plan_on_paper_takes_no_signer() -> None:
    asked = Asked()
    asked.shows(is_sent=False)
    asked.signer.is_away = True
    assert asked.say(approve()) == DONE


@pytest.mark.parametrize(
    "command",
    [approve(), grant(), SetMode(mode=Mode.LIVE, is_confirmed=True), LETS_RUN],
)
def test_without_the_signer_nothing_is_allowed(command: Any) -> None:
    asked = Asked()
    asked.shows()
    asked.seen.clear()
    asked.signer.is_away = True
    reply = asked.say(command)
    assert isinstance(reply, Declined)
    assert "the signer is away" in reply.why
    assert asked.seen == []


def test_a_chat_that_shares_no_key_says_where_it_has_to_be_said() -> None:
    asked = Asked(key=None)
    asked.shows()
    assert asked.say(approve()) == Declined(why=KEYLESS)
    assert asked.say(SetMode(mode=Mode.LIVE, is_confirmed=True)) == Declined(why=KEYLESS)
    assert asked.say(grant()) == DONE, "of paper trades, it may be"


def test_a_mandate_is_named_alike_by_chat_engine_and_signer_until_it_is_taken_back() -> None:
    asked = Asked()
    command = seal(grant(), by="ann", at_ns=NOW_NS)
    assert command.envelope is not None
    name = mandate_id_of(command.envelope.id)

    def why() -> str:
        return asked.signer.words.why_not_mandated(
            name, "main", PLAN, usd=Decimal(2_500), now_ns=NOW_NS
        )

    asked.looks = why
    assert asked.ask(command) == DONE
    assert asked.seen[-1] == ""
    asked.say(RevokeMandate(mandate_id=name))
    assert "no person granted it" in why()
    asked.ask(command)
    asked.say(RevokeMandate())
    assert "no person granted it" in why()


def test_what_the_engine_declines_is_taken_back() -> None:
    asked = Asked(reply=Declined(why="no"))
    command = seal(grant(), by="ann", at_ns=NOW_NS)
    assert command.envelope is not None
    asked.ask(command)
    name = mandate_id_of(command.envelope.id)
    assert asked.signer.words.why_not_mandated(name, "main", PLAN, usd=Decimal(1), now_ns=NOW_NS)
    asked.say(SetMode(mode=Mode.LIVE, is_confirmed=True))
    assert "nobody who went live" in asked.live()


def test_the_first_step_of_two_allows_nothing() -> None:
    asked = Asked()
    asked.say(grant(is_confirmed=False))
    asked.say(SetMode(mode=Mode.LIVE))
    assert "nobody who went live" in asked.live()


@pytest.mark.parametrize("down", [Mode.OBSERVE, Mode.PAPER])
def test_who_goes_live_and_down_again_is_told_to_the_signer(down: Mode) -> None:
    asked = Asked()
    asked.looks = asked.live
    asked.say(SetMode(mode=Mode.LIVE, is_confirmed=True))
    assert asked.seen[-1] == ""
    asked.say(SetMode(mode=down))
    assert "nobody who went live" in asked.live()


def test_who_lets_the_contract_run_again_is_told_to_the_signer_before_the_engine_hears_of_it() -> (
    None
):
    asked = Asked()
    asked.looks = asked.let_run
    asked.say(UnpauseContract(chain="base"))
    assert "no person let" in asked.seen[-1], "the first step of two allows nothing"
    asked.say(LETS_RUN)
    assert asked.seen[-1] == ""

    asked = Asked(reply=Declined(why="no"))
    asked.looks = asked.let_run
    asked.say(UnpauseContract(chain="base", code="123456"))
    assert asked.seen[-1] == ""
    assert "no person let" in asked.let_run(), "what the engine declines is taken back"

    assert Asked(key=None).say(LETS_RUN) == Declined(why=KEYLESS)
