"""Who may come in by the page inside Telegram, and with what."""

import asyncio
from http import HTTPStatus

import pytest

from bot.web import streaming
from bot.web.init_data import InitData, Unbelieved
from bot.web.streaming import WAIT_MS
from bot.web.tickets import TICKET_S, TICKETS_MAX, Tickets
from engine.domain.people import Person, Rank
from engine.domain.units import NS_PER_S
from engine.facade.web import TELEGRAM_KEY
from tests.bot import samples
from tests.bot.conftest import Clock
from tests.bot.web.conftest import Web
from tests.bot.web.forged_init_data import let_in
from tests.bot.web.telegram_signs import opened, page_terms
from tests.patience import PATIENCE_S

_SAID = (
    "user=%7B%22id%22%3A279058397%2C%22first_name%22%3A%22Vladislav%20%2B%20-%20%3F%20%5C%2F%22%2C"
    "%22last_name%22%3A%22Kibenko%22%2C%22username%22%3A%22vdkfrost%22%2C%22language_code%22%3A%22"
    "ru%22%2C%22is_premium%22%3Atrue%2C%22allows_write_to_pm%22%3Atrue%2C%22photo_url%22%3A%22https"
    "%3A%5C%2F%5C%2Ft.me%5C%2Fi%5C%2Fuserpic%5C%2F320%5C%2F4FPEE4tmP3ATHa57u6MqTDih13LTOiMoKoLDRG4"
    "PnSA.svg%22%7D&chat_instance=8134722200314281151&chat_type=private&auth_date=1733509682"
    "&signature=TYJxVcisqbWjtodPepiJ6ghziUL94-KNpG8Pau-X7oNNLNBM72APCpi_RKiUlBvcqo5L-LAxIc3dnTzcZX_P"
    "Dg&hash=a433d8f9847bd6addcc563bff7cc82c89e97ea0d90c11fe5729cae6796a36d73"
)
"""Published by Telegram-Mini-Apps/init-data-golang, with the token of a bot made for it."""

_SAID_AT_S = 1_733_509_682
_KEY_OF_ITS_BOT = bytes.fromhex("231a7ce63f8a4f94a57ed1b31763396f5195134575445dcb13695a5de2e8b1f7")
"""What the published token makes as a key; the token itself is not repeated here."""


def _clock_at(seconds: int) -> Clock:
    clock = Clock()
    clock.now_ns = seconds * NS_PER_S
    return clock


def test_the_published_opening_is_believed_by_both_of_its_signatures() -> None:
    owner = Person(279_058_397, Rank.ADMIN)
    terms = page_terms(
        bot_id=7_342_037_359, key=_KEY_OF_ITS_BOT, people=[owner], telegram_key=TELEGRAM_KEY
    )
    clock = _clock_at(_SAID_AT_S)

    assert InitData(terms, clock).judge(_SAID) == owner
    assert InitData(page_terms(key=_KEY_OF_ITS_BOT, people=[owner]), clock).judge(_SAID) is (
        Unbelieved.FORGED
    )
    for changed in (_SAID.replace("vdkfrost", "vdkfrosty"), _SAID.replace("TYJx", "TYJy")):
        assert InitData(terms, clock).judge(changed) is Unbelieved.FORGED


def test_an_opening_lets_in_while_it_is_fresh() -> None:
    clock = _clock_at(_SAID_AT_S)
    doors = InitData(page_terms(), clock)
    clock.advance(1_000)

    ages_s = {0: True, 300: True, 301: False, -10: True, -11: False}
    judged = {age_s: doors.judge(opened(7, _SAID_AT_S + 1_000 - age_s)) for age_s in ages_s}

    assert {age_s: isinstance(one, Person) for age_s, one in judged.items()} == ages_s


def test_an_opening_lets_in_once_and_not_again_after_a_restart() -> None:
    clock = _clock_at(_SAID_AT_S)
    doors, text = InitData(page_terms(), clock), opened(7, _SAID_AT_S)
    assert isinstance(doors.judge(text), Person)

    clock.advance(300)

    assert doors.judge(text) is Unbelieved.USED
    assert InitData(page_terms(), clock).judge(text) is Unbelieved.STALE


def test_what_telegram_did_not_sign_so_lets_nobody_in() -> None:
    total, shown, wrong = let_in(1_300, seed=3)

    assert total > 1_200
    assert len(shown) == 13
    assert not wrong


@pytest.mark.campaign
def test_of_a_hundred_thousand_openings_that_telegram_did_not_sign_none_lets_in() -> None:
    total, _, wrong = let_in(100_000, seed=11)

    assert total > 95_000
    assert not wrong


async def _open(web: Web, user_id: int) -> tuple[int, dict[str, str]]:
    body = {"init_data": opened(user_id, web.clock() // NS_PER_S)}
    return await web.ask("POST", "/v1/session/telegram", rank=None, body=body)


async def test_a_person_of_the_chat_may_here_what_they_may_there(web: Web) -> None:
    status, owner = await _open(web, 7)
    assert status == HTTPStatus.OK
    _, viewer = await _open(web, 8)

    status, _ = await web.ask("POST", "/kill", token=viewer["access_token"])
    assert status == HTTPStatus.FORBIDDEN
    assert (await web.ask("POST", "/kill", token=owner["access_token"]))[0] == HTTPStatus.OK

    assert web.facade.asked[-1].envelope.by == "telegram:7"  # type: ignore[attr-defined]


async def test_a_stranger_is_told_no_more_than_a_forger(web: Web) -> None:
    status, stranger = await _open(web, 9)
    body = {"init_data": opened(7, web.clock() // NS_PER_S) + "0"}
    _, forger = await web.ask("POST", "/v1/session/telegram", rank=None, body=body)

    assert status == HTTPStatus.UNAUTHORIZED
    assert stranger == forger


async def test_wrong_openings_are_heard_ten_times_a_minute_and_a_right_one_always(web: Web) -> None:
    seen = [(await _open(web, 9))[0] for _ in range(11)]

    assert seen == [HTTPStatus.UNAUTHORIZED] * 10 + [HTTPStatus.TOO_MANY_REQUESTS]
    assert (await _open(web, 7))[0] == HTTPStatus.OK


async def _ticket(web: Web, token: str) -> str:
    _, given = await web.ask("POST", "/v1/stream/ticket", token=token)
    return str(given["ticket"])


async def _stream_status(web: Web, ticket: str) -> int:
    async with web.session.get(f"{web.base}/v1/stream?ticket={ticket}") as answer:
        return answer.status


async def test_a_ticket_opens_the_stream_once_and_nothing_else(web: Web) -> None:
    _, begun = await _open(web, 8)
    ticket = await _ticket(web, begun["access_token"])

    status, _ = await web.ask("GET", f"/v1/status?ticket={ticket}", rank=None)
    assert status == HTTPStatus.UNAUTHORIZED
    assert await _stream_status(web, ticket) == HTTPStatus.OK
    assert await _stream_status(web, ticket) == HTTPStatus.UNAUTHORIZED


@pytest.mark.parametrize("end", ["time", "session"])
async def test_a_ticket_counts_for_its_time_and_its_session(web: Web, end: str) -> None:
    _, begun = await _open(web, 8)
    ticket = await _ticket(web, begun["access_token"])

    if end == "time":
        web.clock.advance(TICKET_S)
    else:
        await web.ask("DELETE", "/v1/session", token=begun["access_token"])

    assert await _stream_status(web, ticket) == HTTPStatus.UNAUTHORIZED


async def test_a_key_is_given_no_ticket(web: Web) -> None:
    status, problem = await web.ask("POST", "/v1/stream/ticket", rank=Rank.VIEWER)

    assert status == HTTPStatus.FORBIDDEN
    assert "show the key" in problem["detail"]


def test_tickets_that_nobody_uses_take_no_more_room_than_they_may() -> None:
    tickets = Tickets(Clock())
    first = tickets.give("a")

    for _ in range(TICKETS_MAX):
        tickets.give("b")

    assert len(tickets._given) == TICKETS_MAX
    assert tickets.take(first) is None


async def test_a_stream_ends_with_the_session_that_opened_it(web: Web) -> None:
    _, begun = await _open(web, 8)
    ticket = await _ticket(web, begun["access_token"])
    async with (
        asyncio.timeout(PATIENCE_S + WAIT_MS / 1_000),
        web.session.get(f"{web.base}/v1/stream?ticket={ticket}") as answer,
    ):
        await answer.content.readuntil(b"\n\n")

        await web.ask("DELETE", "/v1/session", token=begun["access_token"])
        web.facade.tell(*samples.all_notices()[:1])

        assert b"data:" not in (await answer.content.read()).split(b"id: 2")[-1]


async def test_a_gateway_that_closes_waits_for_no_stream(web: Web) -> None:
    _, begun = await _open(web, 8)
    ticket = await _ticket(web, begun["access_token"])
    async with web.session.get(f"{web.base}/v1/stream?ticket={ticket}") as answer:
        await answer.content.readuntil(b"\n\n")

        await web.gateway.application.shutdown()

        async with asyncio.timeout(PATIENCE_S):
            await answer.content.read()
        assert not web.gateway.guard.rates._streams


async def test_a_client_that_left_takes_no_place_among_the_streams(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "WAIT_MS", 3_600_000)  # nothing is written meanwhile
    headers = {"Authorization": f"Bearer {web.keys[Rank.VIEWER]}"}
    answer = await web.session.get(f"{web.base}/v1/stream", headers=headers)
    await answer.content.readuntil(b"\n\n")
    streams = web.gateway.guard.rates._streams
    assert list(streams.values()) == [1]

    answer.close()

    async with asyncio.timeout(PATIENCE_S):
        while streams:
            await asyncio.sleep(0.01)
