"""Who is let in, and how often: keys, sessions, ranks, paces."""

import asyncio
import json
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import jwt
import pytest

from bot.web.api_keys import FILE, ApiKeys
from bot.web.rates import Pace
from bot.web.sessions import ACCESS_S, REFRESH_S, SKEW_S
from bot.web.tokens import AUDIENCE, ISSUER
from engine.domain.errors import BadValueError, FatalError
from engine.domain.people import Rank
from engine.requests.safety import Kill
from tests.bot.web.conftest import Web
from tests.bot.web.forged_tokens import let_in
from tests.patience import PATIENCE_S


async def test_without_a_key_nothing_is_shown(web: Web) -> None:
    status, problem = await web.ask("GET", "/v1/status", rank=None)

    assert status == HTTPStatus.UNAUTHORIZED
    assert web.headers["WWW-Authenticate"] == "Bearer"
    assert problem["status"] == status
    assert not web.facade.asked


async def test_a_key_shows_what_a_viewer_may_see(web: Web) -> None:
    status, report = await web.ask("GET", "/v1/status", rank=Rank.VIEWER)

    assert status == HTTPStatus.OK
    assert report["mode"] == "observe"


@pytest.mark.parametrize("change", ["one letter", "other id", "cut", "empty"])
async def test_a_key_that_is_not_one_opens_nothing(web: Web, change: str) -> None:
    key = web.keys[Rank.ADMIN]
    last = "A" if key[-1] != "A" else "B"
    wrong = {
        "one letter": key[:-1] + last,
        "other id": f"syn_00000000_{key.split('_', 2)[2]}",
        "cut": key[:-1],
        "empty": "",
    }[change]

    assert (await web.ask("GET", "/v1/status", token=wrong))[0] == HTTPStatus.UNAUTHORIZED


async def test_a_viewer_may_not_kill_and_an_operator_may(web: Web) -> None:
    assert (await web.ask("POST", "/kill", rank=Rank.VIEWER))[0] == HTTPStatus.FORBIDDEN
    assert not web.facade.is_killed

    status, report = await web.ask("POST", "/kill", rank=Rank.OPERATOR, body={"why": "it burns"})

    assert status == HTTPStatus.OK
    assert report["engine"]["is_done"]
    assert web.facade.effects == ["kill it burns"]
    assert web.facade.asked[-1].envelope.by == "api:a-operator"  # type: ignore[attr-defined]


async def test_a_session_begins_with_a_key_and_ends_when_told(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session", rank=Rank.VIEWER)
    token = begun["access_token"]
    assert (await web.ask("GET", "/v1/status", token=token))[0] == HTTPStatus.OK
    assert (await web.ask("POST", "/v1/session", token=token))[0] == HTTPStatus.FORBIDDEN

    assert (await web.ask("DELETE", "/v1/session", token=token))[0] == HTTPStatus.NO_CONTENT

    assert (await web.ask("GET", "/v1/status", token=token))[0] == HTTPStatus.UNAUTHORIZED


async def test_an_access_token_counts_for_its_time_only(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session")
    web.clock.advance(ACCESS_S - 1)
    assert (await web.ask("GET", "/v1/status", token=begun["access_token"]))[0] == HTTPStatus.OK

    web.clock.advance(1)

    status, _ = await web.ask("GET", "/v1/status", token=begun["access_token"])
    assert status == HTTPStatus.UNAUTHORIZED


async def test_a_clock_that_is_set_back_a_little_throws_nobody_out(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session")
    web.clock.advance(-SKEW_S)
    assert (await web.ask("GET", "/v1/status", token=begun["access_token"]))[0] == HTTPStatus.OK

    web.clock.advance(-1)

    status, _ = await web.ask("GET", "/v1/status", token=begun["access_token"])
    assert status == HTTPStatus.UNAUTHORIZED
    body = {"refresh_token": begun["refresh_token"]}
    _, next_ = await web.ask("POST", "/v1/session/refresh", rank=None, body=body)
    assert (await web.ask("GET", "/v1/status", token=next_["access_token"]))[0] == HTTPStatus.OK


async def test_a_refresh_token_that_is_used_twice_ends_the_session(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session")
    body = {"refresh_token": begun["refresh_token"]}
    status, second = await web.ask("POST", "/v1/session/refresh", rank=None, body=body)
    assert status == HTTPStatus.OK

    status, _ = await web.ask("POST", "/v1/session/refresh", rank=None, body=body)

    assert status == HTTPStatus.UNAUTHORIZED
    status, _ = await web.ask("GET", "/v1/status", token=second["access_token"])
    assert status == HTTPStatus.UNAUTHORIZED


async def test_a_refresh_token_counts_for_its_time_only(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session")
    web.clock.advance(REFRESH_S)

    body = {"refresh_token": begun["refresh_token"]}
    status, _ = await web.ask("POST", "/v1/session/refresh", rank=None, body=body)

    assert status == HTTPStatus.UNAUTHORIZED


async def test_a_removed_key_ends_what_was_begun_with_it(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session", rank=Rank.OPERATOR)

    web.store.remove("a-operator")

    for token in (begun["access_token"], web.keys[Rank.OPERATOR]):
        assert (await web.ask("GET", "/v1/status", token=token))[0] == HTTPStatus.UNAUTHORIZED


async def test_a_renewed_key_opens_beside_the_old_one_which_then_ends_with_its_sessions(
    web: Web,
) -> None:
    old = web.keys[Rank.OPERATOR]
    _, begun = await web.ask("POST", "/v1/session", token=old)
    new = web.store.renew("a-operator", clock=web.clock, overlap_s=60)
    assert (await web.ask("POST", "/kill", token=new))[0] == HTTPStatus.OK

    web.clock.advance(59)
    for token in (old, new, begun["access_token"]):
        assert (await web.ask("GET", "/v1/status", token=token))[0] == HTTPStatus.OK
    web.clock.advance(1)
    for token in (old, begun["access_token"]):
        assert (await web.ask("GET", "/v1/status", token=token))[0] == HTTPStatus.UNAUTHORIZED
    assert (await web.ask("GET", "/v1/status", token=new))[0] == HTTPStatus.OK
    # What is over is forgotten with the next one.
    later = ApiKeys(web.store._path.parent, web.clock)
    later.renew("a-operator", clock=web.clock)
    assert sum(one.name == "a-operator" for one in later.all()) == 2
    with pytest.raises(BadValueError, match="there is no key b; there are: "):
        later.renew("b", clock=web.clock)


async def test_a_token_that_somebody_made_opens_nothing(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session", rank=Rank.VIEWER)
    claims = jwt.decode(begun["access_token"], options={"verify_signature": False})
    assert "rank" not in claims

    for made in (
        jwt.encode(claims, "", algorithm="none"),
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode(claims | {"iss": ISSUER, "aud": AUDIENCE}, "x" * 64, algorithm="HS512"),
    ):
        assert (await web.ask("GET", "/v1/status", token=made))[0] == HTTPStatus.UNAUTHORIZED


async def test_wrong_keys_are_heard_ten_times_a_minute(web: Web) -> None:
    for _ in range(Pace.REFUSED.value.amount):
        assert (await web.ask("GET", "/v1/status", token="x"))[0] == HTTPStatus.UNAUTHORIZED

    status, problem = await web.ask("GET", "/v1/status", token="x")

    assert status == HTTPStatus.TOO_MANY_REQUESTS
    assert 1 <= int(web.headers["Retry-After"]) <= 60
    assert "10 a minute" in problem["detail"]


async def test_wrong_keys_of_an_address_hold_up_no_right_one_from_there(web: Web) -> None:
    _, begun = await web.ask("POST", "/v1/session", rank=Rank.VIEWER)
    for _ in range(Pace.REFUSED.value.amount + 1):
        await web.ask("GET", "/v1/status", token=f"syn_00000000_{'x' * 43}")

    assert (await web.ask("GET", "/v1/status", token=begun["access_token"]))[0] == HTTPStatus.OK
    assert (await web.ask("POST", "/kill", rank=Rank.OPERATOR))[0] == HTTPStatus.OK
    assert web.facade.is_killed


async def test_a_kill_goes_on_though_whoever_asked_is_gone(web: Web) -> None:
    may_go_on = asyncio.Event()
    ended: list[str] = []
    ask = web.facade.ask

    async def slow(request: Any) -> Any:
        if isinstance(request, Kill):
            await may_go_on.wait()
            ended.append("kill")
        return await ask(request)

    web.gateway.commanding.facade = SimpleNamespace(ask=slow)
    asked = asyncio.ensure_future(web.ask("POST", "/kill"))
    async with asyncio.timeout(PATIENCE_S):
        while not web.gateway.commanding.shared.epoch:
            await asyncio.sleep(0)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)
    for _ in range(5):  # meanwhile the server hears that its client is gone
        await web.ask("GET", "/healthz", rank=None)
    may_go_on.set()

    async with asyncio.timeout(PATIENCE_S):
        while not ended:
            await asyncio.sleep(0)


async def test_what_loosens_is_taken_ten_times_a_minute_and_a_kill_always(web: Web) -> None:
    for _ in range(Pace.CONTROL.value.amount):
        assert (await web.ask("POST", "/v1/commands/resume", body={}))[0] == HTTPStatus.OK

    status, _ = await web.ask("POST", "/v1/commands/resume", body={})
    assert status == HTTPStatus.TOO_MANY_REQUESTS

    for _ in range(Pace.GENERAL.value.amount + 1):
        assert (await web.ask("POST", "/kill"))[0] == HTTPStatus.OK


async def test_every_answer_has_the_headers_that_keep_it_to_whoever_asked(web: Web) -> None:
    for path in ("/healthz", "/v1/status", "/nothing/here"):
        await web.ask("GET", path)

        assert web.headers["Cache-Control"] == "no-store"
        assert web.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in web.headers["Content-Security-Policy"]
        assert web.headers["Server"] == "syndicate"


async def test_what_is_not_there_and_what_fails_are_problem_documents(web: Web) -> None:
    status, problem = await web.ask("GET", "/v1/../../etc/passwd")
    assert (status, problem["title"]) == (HTTPStatus.NOT_FOUND, "Not Found")

    status, _ = await web.ask("DELETE", "/v1/status")
    assert status == HTTPStatus.METHOD_NOT_ALLOWED
    assert web.headers["Allow"] == "GET"

    web.facade.is_engine_away = True
    status, problem = await web.ask("GET", "/v1/status")
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "the engine is away" in problem["detail"]


@pytest.mark.parametrize(
    ("raw", "kind", "expected"),
    [
        (b"{", "application/json", HTTPStatus.BAD_REQUEST),
        (b'{"a":' * 12_000, "application/json", HTTPStatus.UNPROCESSABLE_ENTITY),
        (b'{"line":"\\ud800"}', "application/json", HTTPStatus.BAD_REQUEST),
        (b"\xff\xfe", "application/json", HTTPStatus.BAD_REQUEST),
        (b"{}", "text/plain", HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
        (b'{"limit": 1}', "application/json", HTTPStatus.UNPROCESSABLE_ENTITY),
        (b" " * 70_000, "application/json", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    ],
)
async def test_a_body_that_cannot_be_taken_is_refused_in_a_sentence(
    web: Web, raw: bytes, kind: str, expected: HTTPStatus
) -> None:
    status, problem = await web.ask(
        "POST", "/v1/commands/status", raw=raw, headers={"Content-Type": kind}
    )

    assert status == expected
    assert problem["detail"]


def test_the_file_of_keys_holds_no_key(web: Web) -> None:
    file = web.store._path

    text = file.read_text()

    assert file.stat().st_mode & 0o777 == 0o600
    assert len(json.loads(text)) == len(Rank)
    for key in web.keys.values():
        assert key.split("_", 2)[2] not in text
    assert "$argon2id$" in text


def test_keys_that_others_may_read_are_refused(web: Web) -> None:
    web.store._path.chmod(0o640)

    with pytest.raises(FatalError, match="chmod 600"):
        ApiKeys(web.store._path.parent).all()


def test_a_name_is_given_once_and_has_to_be_one(web: Web) -> None:
    with pytest.raises(BadValueError, match="there is a key a-admin"):
        web.store.add("a-admin", Rank.VIEWER, clock=web.clock)
    with pytest.raises(BadValueError, match="is no name"):
        web.store.add("../x", Rank.VIEWER, clock=web.clock)
    with pytest.raises(BadValueError, match="there is no key b"):
        web.store.remove("b")


def test_a_file_that_is_not_one_is_refused_and_stays(web: Web) -> None:
    web.store._path.write_text("[]x")

    with pytest.raises(FatalError, match=FILE):
        web.store.all()
    with pytest.raises(FatalError):
        web.store.add("new", Rank.VIEWER, clock=web.clock)
    assert web.store._path.read_text() == "[]x"


def test_no_token_that_nobody_was_given_is_let_in() -> None:
    total, shown, wrong = let_in(2_000, seed=7)

    assert total > 1_900
    assert len(shown) == 8
    assert not wrong
