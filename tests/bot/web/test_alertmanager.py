"""Alerts of Alertmanager reach the chat, PagerDuty and Slack; its own program sends them."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web as http

from bot.web.alerting import ALERTS_MAX
from engine.bus.notices import MetricAlert, MetricCalm
from engine.domain.people import Rank
from engine.requests.alerts import TellMetrics
from tests.bot.web.conftest import Web
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[3]
METRICS = ROOT / "docs" / "metrics"
AT = "2026-11-30T12:00:00.5Z"


def _told(status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "SlowDecisions", "severity": "critical", "job": "x", **labels},
        "annotations": {"summary": "it is slow", "runbook": "docs/observability.md#slowdecisions"},
        "startsAt": AT,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph",
        "fingerprint": "d1c2b3a4e5f60718",
    }


def _sent(*alerts: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "groupKey": "{}", "truncatedAlerts": 0, "alerts": list(alerts)}


async def test_what_a_rule_says_is_a_notice_and_ends_with_it(web: Web) -> None:
    for status in ("firing", "resolved"):
        code, _ = await web.ask(
            "POST", "/v1/alerts", rank=Rank.VIEWER, body=_sent(_told(status, venue="kraken"))
        )
        assert code == HTTPStatus.NO_CONTENT

    fired, calm = (stamped.notice for stamped in web.facade.stored)
    assert isinstance(fired, MetricAlert)
    assert isinstance(calm, MetricCalm)
    assert (fired.name, fired.about, fired.is_critical) == ("SlowDecisions", "venue=kraken", True)
    assert fired.summary == "it is slow"
    assert fired.fingerprint == calm.fingerprint


async def test_what_is_told_again_has_the_same_number_of_record(web: Web) -> None:
    for status in ("firing", "firing", "resolved"):
        await web.ask("POST", "/v1/alerts", body=_sent(_told(status)))
        web.clock.advance(3_600)

    ids = [[*one.told] for one in web.facade.asked if isinstance(one, TellMetrics)]
    assert ids[0] == ids[1] != ids[2]


async def test_an_alert_that_cannot_be_stored_is_to_be_sent_again(web: Web) -> None:
    web.facade.is_ledger_away = True

    status, _ = await web.ask("POST", "/v1/alerts", body=_sent(_told()))

    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert not web.facade.stored


@pytest.mark.parametrize(
    "sent",
    [
        _sent(*[_told()] * (ALERTS_MAX + 1)),
        _sent(_told() | {"fingerprint": "../x"}),
        _sent(_told() | {"startsAt": "yesterday"}),
        _sent(_told() | {"startsAt": "2026-11-30T12:00:00"}),
        _sent(_told(summary="x" * 3_000)),
        {"version": "3", "alerts": []},
    ],
)
async def test_what_is_no_alert_is_refused(web: Web, sent: dict[str, Any]) -> None:
    status, problem = await web.ask("POST", "/v1/alerts", body=sent)

    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert problem["detail"]


def _alertmanager() -> Path:
    own = ROOT / ".venv" / "alertmanager" / "bin" / "prometheus-alertmanager"
    found = own if own.exists() else Path(shutil.which("prometheus-alertmanager") or "")
    if not found.is_file():
        pytest.skip("Alertmanager is not there: make alertmanager gets it")
    return found


@contextlib.asynccontextmanager
async def _receivers(heard: dict[str, list[Any]]) -> AsyncIterator[str]:
    """Listen as PagerDuty (Events v2) and as Slack (an incoming webhook) do."""

    async def page(request: http.Request) -> http.Response:
        heard["pagerduty"].append(await request.json())
        return http.json_response({"status": "success"}, status=HTTPStatus.ACCEPTED)

    async def post(request: http.Request) -> http.Response:
        heard["slack"].append(await request.json())
        return http.Response(text="ok")

    application = http.Application()
    application.router.add_post("/v2/enqueue", page)
    application.router.add_post("/services/T0/B0/x", post)
    runner = http.AppRunner(application)
    await runner.setup()
    await http.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_alertmanager_tells_the_chat_pagerduty_and_slack(web: Web, tmp_path: Path) -> None:
    heard: dict[str, list[Any]] = {"pagerduty": [], "slack": []}
    async with _receivers(heard) as others, _running(web, others, tmp_path) as address:
        now = datetime.now(UTC)
        alerts = [
            {
                "labels": {"alertname": name, "severity": "critical", "job": "syndicate"},
                "annotations": {"summary": f"{name} it is", "runbook": "docs/observability.md#x"},
                "startsAt": (now - timedelta(minutes=5)).isoformat(),
                "endsAt": (now + timedelta(minutes=5)).isoformat(),
            }
            for name in ("NoBooks", "EngineAway")
        ]
        async with web.session.post(f"{address}/api/v2/alerts", json=alerts) as answer:
            assert answer.status == HTTPStatus.OK
        async with asyncio.timeout(PATIENCE_S):
            while not (
                web.facade.stored and len(heard["pagerduty"]) == len(alerts) and heard["slack"]
            ):
                await web.ask("GET", "/healthz", rank=None)
                web.clear_paces()

    told = [stamped.notice for stamped in web.facade.stored]
    assert [one.name for one in told if isinstance(one, MetricAlert)] == ["NoBooks"]
    page = next(one for one in heard["pagerduty"] if "NoBooks" in one["payload"]["summary"])
    assert page["routing_key"] == "r" * 32
    assert page["event_action"] == "trigger"
    assert page["payload"]["severity"] == "critical"
    assert page["payload"]["custom_details"]["runbook"] == "docs/observability.md#x"
    (posted,) = heard["slack"]
    assert "NoBooks it is" in posted["attachments"][0]["text"]
    assert "EngineAway it is" in posted["attachments"][0]["text"]


@contextlib.asynccontextmanager
async def _running(web: Web, others: str, directory: Path) -> AsyncIterator[str]:
    """Run Alertmanager with the file that is shipped, but for addresses and waits."""
    (directory / "metrics.key").write_text(web.keys[Rank.VIEWER])
    (directory / "pagerduty.key").write_text("r" * 32)
    (directory / "slack.url").write_text(f"{others}/services/T0/B0/x")
    text = (METRICS / "alertmanager-pager.yml").read_text()
    for shipped, here in (
        ("http://127.0.0.1:8645", web.base),
        ("/run/secrets/metrics_key", f"{directory}/metrics.key"),
        ("/run/alerting", str(directory)),
        ("group_wait: 10s", "group_wait: 1ms"),
        ("route:\n", f"global: {{pagerduty_url: '{others}/v2/enqueue'}}\nroute:\n"),
    ):
        assert shipped in text
        text = text.replace(shipped, here)
    file = directory / "alertmanager.yml"
    file.write_text(text)
    log, tool = directory / "alertmanager.log", _alertmanager()
    with log.open("wb") as output:
        program = await asyncio.create_subprocess_exec(
            tool,
            f"--config.file={file}",
            f"--storage.path={directory}/kept",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
            cwd=tool.parents[1],
            stdout=output,
            stderr=output,
        )
    try:
        yield await _address(program, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            program.kill()
        await program.wait()


async def _address(program: asyncio.subprocess.Process, log: Path) -> str:
    """Return where it listens, as its log says."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            said = _read(log)
            for word in said.split():
                if word.startswith("address=127.0.0.1:") and not word.endswith(":0"):
                    return f"http://{word.removeprefix('address=')}"
            assert program.returncode is None, said
            await asyncio.sleep(0.01)


def _read(log: Path) -> str:
    return log.read_text()


def test_what_the_chat_tells_by_itself_is_not_told_twice() -> None:
    files = [METRICS / name for name in ("alertmanager.yml", "alertmanager-pager.yml")]
    routes = {line for one in files for line in one.read_text().splitlines() if "!~" in line}

    assert len({line.strip() for line in routes}) == 1
    rules = (METRICS / "rules.yml").read_text()
    for name in routes.pop().partition('"')[2].partition('"')[0].split("|"):
        assert f"alert: {name}\n" in rules
