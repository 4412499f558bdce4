"""Metrics are the figures of the reports, and of what does not answer they say that."""

from http import HTTPStatus

from msgspec.structs import replace
from prometheus_client.parser import text_string_to_metric_families

from bot.web.metrics import ASKED, exposition
from engine.bus.hooked import HookFigures, HookLine
from engine.domain.people import Rank
from tests.bot import chain_samples, samples, work_samples
from tests.bot.web.conftest import Web


def _figures(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_scrape_has_the_figures_of_the_reports(web: Web) -> None:
    status, text = await web.ask("GET", "/metrics", rank=Rank.VIEWER)
    figures = _figures(text)

    assert status == HTTPStatus.OK
    assert {figures["syndicate_up", (part,)] for part in ASKED} == {1.0}
    role = work_samples.resources().roles[0]
    expected = role.memory_mb * 1_048_576
    assert figures["syndicate_role_memory_bytes", (role.role,)] == expected
    chain = chain_samples.chains().chains[0]
    assert figures["syndicate_chain_pools_live", (chain.chain,)] == chain.pools_live
    assert figures["syndicate_component_health", ("feed/gemini",)] == 0.0
    assert figures["syndicate_component_health", ("wallet",)] == 0.5
    assert figures["syndicate_component_available_ratio", ("feed/gemini",)] == 0.9921
    assert figures["syndicate_incidents_open", ()] == 1.0
    share = figures["syndicate_budget_used_ratio", ("alchemy.com", "month", "units")]
    assert share == 24_100_000 / 30_000_000
    assert figures["syndicate_place_connections", ("venue/gemini",)] == 1.0
    assert figures["syndicate_recovery_attempts_total", ("feed-reconnect", "engine")] == 57.0
    assert figures["syndicate_recovery_successes_total", ("role-restart",)] == 3.0
    assert figures["syndicate_recovery_seconds_total", ("role-restart",)] == 19.5
    money = samples.pnl()
    assert figures["syndicate_profit_day_usd", ("paper",)] == float(money.realised_usd)
    assert figures["syndicate_profit_day_usd", ("live",)] == float(money.live.realised_usd)


async def test_who_is_away_is_down_and_the_others_are_shown(web: Web) -> None:
    web.facade.is_engine_away = True

    _, text = await web.ask("GET", "/metrics", rank=Rank.VIEWER)
    figures = _figures(text)

    assert figures["syndicate_up", ("engine",)] == 0.0
    assert figures["syndicate_up", ("ledger",)] == 1.0
    assert not any(name == "syndicate_mode" for name, _ in figures)


async def test_refusals_are_counted(web: Web) -> None:
    await web.ask("GET", "/v1/status", rank=None)

    _, text = await web.ask("GET", "/metrics")

    assert _figures(text)["syndicate_gateway_answers_total", ("401",)] == 1.0


def test_each_webhook_has_its_figures_by_chain_and_stream() -> None:
    report = chain_samples.chains()
    figures = HookFigures(stream="pools", provider="moralis", forged=5, taken=90)
    line = HookLine(stream="pools", told=80, missing=2, lag_ms={"p50": 1.0, "p99": 2_500.0})
    chain = replace(report.chains[0], hooks=[replace(line, figures=figures)])
    text = exposition({"chains": replace(report, chains=[chain])}, answered={}).decode()
    found = _figures(text)

    assert found["syndicate_webhook_events_total", ("base", "pools")] == 80
    assert found["syndicate_webhook_events_missing_total", ("base", "pools")] == 2
    assert found["syndicate_webhook_bodies_forged_total", ("base", "pools")] == 5
    assert found["syndicate_webhook_lag_p99_seconds", ("base", "pools")] == 2.5
    assert ("syndicate_webhook_age_seconds", ("base", "pools")) not in found
