"""Alert rules and the dashboard: they fire when they should, and ask for figures that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.web.metrics import ASKED, exposition
from engine.bus.chain_reports import ChainsReport
from engine.bus.hooked import HookFigures, HookLine
from tests.bot import chain_samples, health_samples, samples, work_samples

ROOT = Path(__file__).parents[3]
METRICS = ROOT / "docs" / "metrics"
RULES = METRICS / "rules.yml"


def _promtool() -> str:
    own = ROOT / ".venv" / "promtool" / "promtool"
    found = str(own) if own.exists() else shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not there: tests/bot/web/get_promtool .venv gets it")
    return found


def test_each_alert_fires_where_it_should_and_not_elsewhere() -> None:
    tool = _promtool()
    for asked in (["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]):
        ran = subprocess.run(
            [tool, *asked], cwd=METRICS, check=False, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_is_scraped_is_as_prometheus_wants_it() -> None:
    ran = subprocess.run(
        [_promtool(), "check", "metrics"],
        check=False,
        input=_exposed(),
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_is_tried_and_has_its_section() -> None:
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    tried = re.findall(r"alertname: (\w+)", (METRICS / "rules_test.yml").read_text())
    page = (ROOT / "docs" / "observability.md").read_text()

    assert len(alerts) == 18
    for alert in alerts:
        assert tried.count(alert) == 2, alert
        assert f"### {alert}\n" in page
        assert f"docs/observability.md#{alert.lower()}" in RULES.read_text()


def test_rules_and_dashboard_ask_for_figures_that_there_are() -> None:
    exposed = set(re.findall(r"^(?:# TYPE )?(syndicate_\w+)", _exposed(), re.MULTILINE))
    dashboard = json.loads((METRICS / "dashboard.json").read_text())
    asked = [one["expr"] for panel in dashboard["panels"] for one in panel["targets"]]
    asked += re.findall(r"expr: (.+)", RULES.read_text())

    for expression in asked:
        for name in re.findall(r"syndicate_\w+", expression.replace('job="syndicate"', "")):
            assert name in exposed, expression


def _exposed() -> str:
    reports = (
        samples.status(),
        samples.pnl(),
        _chains_with_a_webhook(),
        work_samples.work(),
        work_samples.resources(),
        health_samples.health(),
        health_samples.use(),
    )
    return exposition(dict(zip(ASKED, reports, strict=True)), answered={200: 3}).decode()


def _chains_with_a_webhook() -> ChainsReport:
    report = chain_samples.chains()
    figures = HookFigures(stream="pools", provider="moralis")
    line = HookLine(stream="pools", age_s=4.0, lag_ms={"p50": 1.0, "p99": 2.0}, figures=figures)
    return replace(report, chains=[replace(report.chains[0], hooks=[line])])
