"""One line a record, as text or as JSON, and no secret in any of it."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Literal

import pytest
import structlog

from engine.domain.redaction import HIDDEN, remember_secrets
from engine.operate.logs import name_in_logs, set_up_logs
from tests.telegram.emulator import TOKEN

Form = Literal["text", "json"]
FORMS: list[Form] = ["text", "json"]
log = logging.getLogger("engine.tests")


@pytest.fixture(autouse=True)
def root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def logs(form: Form, level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    set_up_logs(level=level, form=form, stream=stream)
    return stream


@pytest.mark.parametrize("form", FORMS)
def test_no_secret_is_in_message_arguments_fields_or_traceback(form: Form) -> None:
    stream = logs(form)
    remember_secrets(["hunter2-the-second"])
    name_in_logs(run=f"of {TOKEN}")
    log.warning("GET https://api.telegram.org/bot%s/getMe %s", TOKEN, {"token": TOKEN})
    log.warning("a field", extra={"password": "hunter2-the-second"})
    try:
        int(f"rejected {TOKEN}")
    except ValueError:
        log.exception("failed with %r", TOKEN, stack_info=True)

    said = stream.getvalue()
    assert TOKEN.partition(":")[2][:12] not in said
    assert "hunter2" not in said
    assert HIDDEN in said
    assert "ValueError" in said


def test_json_is_one_object_a_line_with_who_when_and_what() -> None:
    stream = logs("json")
    name_in_logs(run="r1")
    log.warning("%d rows\nwere refused", 3)
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        log.exception("it broke")

    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first == {
        "event": "3 rows\nwere refused",
        "level": "warning",
        "logger": "engine.tests",
        "run": "r1",
        "timestamp": first["timestamp"],
    }
    assert first["timestamp"].endswith("Z")
    assert "ZeroDivisionError" in second["exception"]


def test_text_is_a_line_that_a_person_reads() -> None:
    stream = logs("text")
    name_in_logs(run="r1")
    log.warning("%d rows were refused", 3)

    when, _, said = stream.getvalue().partition(" ")
    assert when.endswith("Z")
    assert said == "[warning  ] 3 rows were refused [engine.tests] run=r1\n"


@pytest.mark.parametrize("form", FORMS)
def test_less_than_the_level_and_the_chatter_of_libraries_is_not_logged(form: Form) -> None:
    stream = logs(form, level="info")
    log.debug("a detail")
    logging.getLogger("httpx").info("GET every address")

    assert stream.getvalue() == ""


def test_setting_up_again_replaces_what_was() -> None:
    first, second = logs("text"), logs("text")
    log.warning("once")

    assert first.getvalue() == ""
    assert second.getvalue().count("once") == 1
