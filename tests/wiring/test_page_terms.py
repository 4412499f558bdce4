"""What the gateway is told of the phone."""

import os
from pathlib import Path

import pytest

from engine.domain.people import Person, Rank
from engine.settings.load import load_settings
from engine.wiring.page_terms import PAGE_ENVIRONMENT_NAME, page_terms, told_page
from engine.wiring.paths import prepare
from engine.wiring.run import role_specs

TOKEN = "7342037359:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"
PHONE = {
    "TELEGRAM_BOT_TOKEN": TOKEN,
    "TELEGRAM_OPERATOR_ID": "7",
    "SYNDICATE_TELEGRAM_PEOPLE": "8=viewer",
}


def test_the_gateway_is_told_who_may_come_in_and_never_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = told_page(load_settings(PHONE, directory=tmp_path))
    monkeypatch.setenv(PAGE_ENVIRONMENT_NAME, told[PAGE_ENVIRONMENT_NAME])

    terms = page_terms(os.environ, age_s_max=90)

    assert TOKEN.partition(":")[2] not in told[PAGE_ENVIRONMENT_NAME]
    assert PAGE_ENVIRONMENT_NAME not in os.environ
    assert terms is not None
    assert list(terms.people) == [Person(7, Rank.ADMIN), Person(8, Rank.VIEWER)]
    assert (terms.bot_id, terms.age_s_max, len(terms.key)) == (7_342_037_359, 90, 32)
    assert terms.key.hex() not in repr(terms)


def test_without_a_phone_nobody_comes_in_by_the_page(tmp_path: Path) -> None:
    assert told_page(load_settings({}, directory=tmp_path)) == {}
    assert page_terms({}, age_s_max=90) is None


def test_the_gateways_process_is_handed_it_and_no_other_is(tmp_path: Path) -> None:
    environment = {
        **PHONE,
        "SYNDICATE_GATEWAY_IS_ON": "true",
        "SYNDICATE_DATA_DIR": str(tmp_path / "var"),
    }
    settings = load_settings(environment, directory=tmp_path)
    paths = prepare(settings.data.dir)

    specs = {
        one.name: one.environment()
        for one in role_specs(settings, paths, has_bot=True)
        if one.environment is not None
    }

    assert specs["gateway"][PAGE_ENVIRONMENT_NAME] == told_page(settings)[PAGE_ENVIRONMENT_NAME]
    assert TOKEN not in specs["gateway"].values()
    assert [name for name, of in specs.items() if PAGE_ENVIRONMENT_NAME in of] == ["gateway"]
