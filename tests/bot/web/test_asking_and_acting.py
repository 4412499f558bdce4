"""What can be asked and done by HTTP is what the phone can, by the same lists and steps."""

import asyncio
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from bot.command_table import COMMANDS
from bot.dispatch import Invocation, read_line
from bot.web.asking import asked_types, path_of
from bot.web.guard import _trouble
from bot.web.openapi import describe
from bot.web.rates import Pace
from bot.web.reference import PAGE, all_routes, example_body, example_path, render_page
from engine.domain.errors import AbsentError, BadValueError, TransientError, UnstoredError
from engine.domain.people import Rank
from engine.requests.overview import GetOpportunities, GetStatus
from engine.requests.safety import Kill, Resume
from tests.bot import samples
from tests.bot.test_commands_end_to_end import EXAMPLES
from tests.bot.web.conftest import Web


def test_each_question_has_a_path_of_its_own() -> None:
    paths = [path_of(one) for one in asked_types()]

    assert len(set(paths)) == len(paths)
    assert path_of(GetStatus) == "/v1/status"
    assert "/v1/notices" not in paths


async def test_the_description_names_every_route_and_command(web: Web) -> None:
    _, document = await web.ask("GET", "/openapi.json", rank=None)

    described = {
        (method.upper(), path) for path, one in document["paths"].items() for method in one
    }
    served = {
        (one.method, one.resource.canonical)
        for one in web.gateway.application.router.routes()
        if one.resource is not None and not one.resource.canonical.startswith("/hooks/")
    }
    assert described == served
    assert {f"/v1/commands/{one.name}" for one in COMMANDS} <= set(document["paths"])
    assert document == msgspec.json.decode(msgspec.json.encode(describe(web.gateway.routes)))


async def test_every_reference_of_the_description_leads_somewhere(web: Web) -> None:
    _, document = await web.ask("GET", "/openapi.json", rank=None)
    text = msgspec.json.encode(document).decode()

    known = document["components"]["schemas"]
    names = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names
    assert names <= set(known)


async def test_fields_of_a_question_are_its_query(web: Web) -> None:
    path = "/v1/opportunities?limit=3&is_newest_first=true"
    assert (await web.ask("GET", path))[0] == HTTPStatus.OK
    assert web.facade.asked[-1] == GetOpportunities(limit=3, is_newest_first=True)

    for wrong in ("limit=x", "limit=1&limit=2", "most=3", "limit=1e999"):
        status, problem = await web.ask("GET", f"/v1/opportunities?{wrong}")
        assert status == HTTPStatus.UNPROCESSABLE_ENTITY, wrong
        assert problem["detail"]


async def test_every_command_answers_what_the_phone_shows(web: Web) -> None:
    for name in sorted(set(EXAMPLES) - {"kill", "unkill"}):
        asked = read_line(EXAMPLES[name][0])
        assert isinstance(asked, Invocation)
        body = {**asked.arguments.numbers, **asked.arguments.texts}
        web.clear_paces()

        status, answer = await web.ask("POST", f"/v1/commands/{name}", body=body)

        assert status == HTTPStatus.OK, name
        assert answer["title"]
        assert answer["title"] in answer["text"]


async def test_an_argument_that_the_grammar_refuses_is_refused_with_its_words(web: Web) -> None:
    for body, said in (
        ({"most": 1}, "there is no argument most"),
        ({"name": 5}, "name has to be a text"),
        ({"name": "position_usd 5 6"}, "name has to be one word"),
        ({"value": "5"}, ""),
        ({"name": "x" * 161, "value": "5"}, "it may have 160"),
        ({"name": "position_usd", "value": None}, ""),
    ):
        status, problem = await web.ask("POST", "/v1/commands/limit", body=body)
        assert status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert said in problem["detail"]


async def test_a_kill_is_not_refused_for_many_words_or_none(web: Web) -> None:
    for path in ("/kill", "/v1/commands/kill"):
        status, _ = await web.ask("POST", path, body={"why": "it burns " * 1_000})
        assert status == HTTPStatus.OK
    assert (await web.ask("POST", "/kill"))[0] == HTTPStatus.OK
    assert web.facade.count(Kill) == 3
    assert all(len(one.why) <= 200 for one in web.facade.asked if isinstance(one, Kill))


async def test_who_is_no_part_of_this_installation_is_not_there_and_not_away(web: Web) -> None:
    async def absent(request: Any) -> Any:
        del request
        raise AbsentError("no transactions are sent here")

    web.gateway.commanding.facade = SimpleNamespace(ask=absent)

    status, answer = await web.ask("POST", "/v1/commands/wallets", body={})

    assert status == HTTPStatus.OK
    assert "no transactions are sent here" in answer["text"]
    assert _trouble(AbsentError("no transactions are sent here")).status == HTTPStatus.NOT_FOUND
    assert _trouble(BadValueError("there is none")).status == HTTPStatus.NOT_FOUND
    assert _trouble(TransientError("away")).status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_what_loosens_takes_its_second_step_here_too_and_once(web: Web) -> None:
    _, answer = await web.ask("POST", "/v1/commands/resume", body={})
    nonce = answer["confirmation"]["nonce"]
    assert web.facade.count(Resume) == 0

    path, yes = f"/v1/confirmations/{nonce}", {"is_yes": True}
    status, _ = await web.ask("POST", path, rank=Rank.OPERATOR, body=yes)
    assert status == HTTPStatus.CONFLICT  # it was offered to somebody else
    assert (await web.ask("POST", path, body=yes))[0] == HTTPStatus.OK
    assert web.facade.effects == ["resume"]

    assert (await web.ask("POST", path, body=yes))[0] == HTTPStatus.CONFLICT
    assert web.facade.effects == ["resume"]


async def test_a_kill_voids_the_second_steps_of_all(web: Web) -> None:
    _, answer = await web.ask("POST", "/v1/commands/resume", body={})
    await web.ask("POST", "/kill", rank=Rank.OPERATOR)

    path = f"/v1/confirmations/{answer['confirmation']['nonce']}"
    status, _ = await web.ask("POST", path, body={"is_yes": True})

    assert status == HTTPStatus.CONFLICT
    assert "resume" not in web.facade.effects


async def test_a_command_with_a_key_of_its_own_is_carried_out_once(web: Web) -> None:
    once = {"Idempotency-Key": "k-1"}
    body = {"name": "position_usd", "value": "250"}
    path = "/v1/commands/limit"

    answers = await asyncio.gather(
        *(web.ask("POST", path, body=body, headers=once) for _ in range(3))
    )

    assert [status for status, _ in answers] == [HTTPStatus.OK] * 3
    assert answers[0][1] == answers[1][1] == answers[2][1]
    assert web.facade.effects == ["limit position_usd 250"]
    other = {"name": "position_usd", "value": "260"}
    status, _ = await web.ask("POST", path, body=other, headers=once)
    assert status == HTTPStatus.CONFLICT


async def test_an_answer_that_a_role_was_away_is_not_repeated(web: Web) -> None:
    once = {"Idempotency-Key": "k-1"}
    body = {"name": "position_usd", "value": "250"}
    path = "/v1/commands/limit"
    web.facade.is_engine_away = True

    status, problem = await web.ask("POST", path, body=body, headers=once)

    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert web.headers["Retry-After"] == "1"
    assert "engine is away" in problem["detail"]
    web.facade.is_engine_away = False
    for _ in range(2):
        status, _ = await web.ask("POST", path, body=body, headers=once)
        assert status == HTTPStatus.OK
    assert web.facade.effects == ["limit position_usd 250"]


async def test_what_was_done_while_the_ledger_is_away_is_answered_as_done_and_not_done_again(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    async def unstored(request: Any) -> Any:
        asked.append(request)
        raise UnstoredError("this was done but is not yet stored")

    once = {"Idempotency-Key": "k-1"}
    _, reset = await web.ask("POST", "/v1/commands/balance", body={"form": "reset"})
    monkeypatch.setattr(web.facade, "ask", unstored)

    status, answer = await web.ask(
        "POST", f"/v1/confirmations/{reset['confirmation']['nonce']}", body={"is_yes": True}
    )
    assert status == HTTPStatus.OK
    assert answer["title"].startswith("Done, not stored: ")
    for _ in range(2):
        status, answer = await web.ask(
            "POST", "/v1/commands/mode", body={"mode": "observe"}, headers=once
        )
        assert status == HTTPStatus.OK
        assert answer["title"] == "Done, not stored: /mode observe"
        assert "this was done but is not yet stored" in answer["text"]
    assert len(asked) == 2


async def test_what_was_away_is_sent_again_as_what_was_given_before_a_kill(web: Web) -> None:
    once = {"Idempotency-Key": "k-1"}
    web.facade.is_engine_away = True
    await web.ask("POST", "/v1/commands/resume", body={}, headers=once)
    web.facade.is_engine_away = False
    await web.ask("POST", "/kill")

    status, answer = await web.ask("POST", "/v1/commands/resume", body={}, headers=once)

    assert status == HTTPStatus.OK
    assert answer["confirmation"] is None
    assert "kill" in answer["text"].lower()
    _, answer = await web.ask("POST", "/v1/commands/resume", body={})
    assert answer["confirmation"] is not None


async def test_a_rank_below_is_refused_whatever_the_command(web: Web) -> None:
    status, problem = await web.ask("POST", "/v1/commands/pause", rank=Rank.VIEWER, body={})

    assert status == HTTPStatus.FORBIDDEN
    assert "operator" in problem["detail"]
    assert not web.facade.is_paused


async def test_a_line_is_carried_out_as_in_the_chat(web: Web) -> None:
    async def say(line: str, rank: Rank) -> tuple[int, dict[str, str]]:
        return await web.ask("POST", "/v1/lines", rank=rank, body={"line": line})

    assert (await say("/pause", Rank.VIEWER))[0] == HTTPStatus.FORBIDDEN
    assert web.facade.effects == []
    assert (await say("/pause", Rank.OPERATOR))[0] == HTTPStatus.OK
    assert web.facade.effects == ["pause"]
    status, answer = await say("/pase", Rank.VIEWER)
    assert status == HTTPStatus.OK
    assert "/pase is unknown" in answer["text"]


async def test_a_line_that_kills_is_never_held_up(web: Web) -> None:
    body = {"line": "/kill"}
    for _ in range(Pace.GENERAL.value.amount + 1):
        status, _ = await web.ask("POST", "/v1/lines", rank=Rank.OPERATOR, body=body)
        assert status == HTTPStatus.OK
    body = {"line": "/status"}
    seen = [await web.ask("POST", "/v1/lines", body=body) for _ in range(101)]

    assert seen[-1][0] == HTTPStatus.TOO_MANY_REQUESTS


async def test_the_stream_goes_on_after_the_last_event_that_was_seen(web: Web) -> None:
    notices = samples.all_notices()[:3]
    web.facade.tell(*notices)
    headers = {"Authorization": f"Bearer {web.keys[Rank.VIEWER]}", "Last-Event-ID": "1"}

    async with web.session.get(f"{web.base}/v1/stream", headers=headers) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        seen = []
        async for line in answer.content:
            if line.startswith(b"id: "):
                seen.append(int(line[4:]))
            if seen[-1:] == [3]:
                break

    assert seen == [1, 2, 3]


async def test_a_sixth_stream_of_a_key_is_refused(web: Web) -> None:
    headers = {"Authorization": f"Bearer {web.keys[Rank.VIEWER]}"}
    opened = [await web.session.get(f"{web.base}/v1/stream", headers=headers) for _ in range(5)]
    try:
        status, _ = await web.ask("GET", "/v1/stream", rank=Rank.VIEWER)
        assert status == HTTPStatus.TOO_MANY_REQUESTS
    finally:
        for one in opened:
            one.close()


def test_the_page_of_the_api_is_that_of_the_routes() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert page == render_page(all_routes()), "run: python -m bot.web.reference"


_NOT_OF_THE_FAKE = {
    *("/v1/engines", "/v1/engine-ids", "/v1/stored-why", "/v1/episodes", "/v1/past-trades"),
    *("/v1/pool-rates", "/v1/block-facts"),
}
"""Asked of the engine, the ledger and the chains by programs alone: the fake has no such answer."""


async def test_every_example_of_the_page_is_answered(web: Web) -> None:
    for route in web.gateway.routes:
        if route.is_endless or route.path in _NOT_OF_THE_FAKE:
            continue
        web.clear_paces()
        status, said = await web.ask(route.method, example_path(route), body=example_body(route))
        assert status < HTTPStatus.INTERNAL_SERVER_ERROR, (route.path, said)
        assert status not in {HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY}, (route, said)
