"""What a person or a hostile server puts into updates: kept without secrets, read within bounds."""

import json
import subprocess
import sys

import pytest
from telegram.error import TelegramError

from bot.access import Access
from bot.telegram import requests
from bot.telegram.arrivals import read_arrival
from bot.telegram.inbox import kept_form
from bot.telegram.requests import BoundedRequest
from bot.telegram.wire import BadReplyError, parse_reply
from engine.domain.errors import FatalError
from engine.domain.people import Rank
from tests.telegram.emulator import OPERATOR_ID, TOKEN


@pytest.mark.parametrize(
    "text", ["/unkill 123456", "/unkil 123 456", "123456", "/unkill 123-456.", f"/x {TOKEN}"]
)
def test_no_code_and_no_token_is_stored_with_an_update(text: str) -> None:
    message = {"text": text, "reply_to_message": {"text": text}, "chat": {"id": 123456}}

    kept = json.dumps(kept_form({"update_id": 123456, "message": message}))

    for secret in ("/unkill 123456", "123 456", "123-456", '"123456"', TOKEN):
        assert secret not in kept
    assert '"id": 123456' in kept


@pytest.mark.parametrize(
    "text", ["/why tp7oy0-123456", "/trades 20", "/pnl 1234567", "/mode paper"]
)
def test_other_commands_are_stored_as_they_are(text: str) -> None:
    assert kept_form({"message": {"text": text}}) == {"message": {"text": text}}


@pytest.mark.parametrize("depth", [100, 900, 100_000])
def test_a_deeply_nested_answer_is_a_bad_answer(depth: int) -> None:
    payload = b'{"ok":true,"result":[{"update_id":1,"x":%b%b}]}' % (b"[" * depth, b"]" * depth)

    with pytest.raises(BadReplyError):
        parse_reply(payload)


@pytest.mark.parametrize("date", [0, -1])
def test_a_button_of_a_deleted_message_is_not_taken_for_a_visible_one(date: int) -> None:
    chat = {"id": OPERATOR_ID, "type": "private", "first_name": "x"}
    raw = {
        "update_id": 1,
        "callback_query": {
            "id": "1",
            "from": {"id": OPERATOR_ID, "is_bot": False, "first_name": "x"},
            "chat_instance": "1",
            "data": "x",
            "message": {"message_id": 5, "date": date, "chat": chat, "text": "Resume?"},
        },
    }

    arrival = read_arrival(raw, Access({OPERATOR_ID: Rank.ADMIN}, lambda: 0))

    assert arrival is None or (arrival.incoming.tap and not arrival.incoming.tap.is_visible)


def test_a_deeply_nested_answer_to_a_call_is_an_error_of_the_bot_api() -> None:
    with pytest.raises(TelegramError):
        BoundedRequest.parse_json_payload(b"[" * 100_000 + b"]" * 100_000)


def test_no_role_raises_the_bound_that_keeps_deep_json_from_overflowing_the_stack() -> None:
    roles = "bot.telegram.front_end", "engine.wiring.one_process", "engine.chains.safety.evm"
    loaded = "; ".join(f"import {role}" for role in roles)
    program = f"import sys; {loaded}; sys.exit(sys.getrecursionlimit() > 1_000)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_missing_certificate_file_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    requests._tls.cache_clear()

    with pytest.raises(FatalError, match="SSL_CERT_FILE"):
        requests.make_request(read_s=1.0, proxy=None)
