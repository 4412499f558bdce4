"""Alertmanager's webhook: rules over the metrics become notices, and so alerts of the chat.

It is sent in Alertmanager's own form, version 4, with a viewer's key. What it says again while
nothing changed has the same number of record, and is stored once. Where the ledger is away the
answer is 503, and Alertmanager sends it again.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta

from bot.web.bodies import read_body
from bot.web.rates import Pace
from bot.web.route import Ask, Asked, Route
from engine.bus.notices import MetricAlert, MetricCalm
from engine.domain.modes import Basis
from engine.domain.people import Rank
from engine.requests.alerts import TellMetrics

ALERTS_MAX: Final = 20
"""`max_alerts` of the receiver says the same: what is beyond it comes with the next."""

_OURS: Final = frozenset({"alertname", "severity", "job", "instance"})
"""Labels that tell a person nothing."""

_CRITICAL: Final = "critical"
_TEXT_MAX: Final = 300

Text = Annotated[str, Meta(max_length=2_000)]
Labels = Annotated[dict[str, Text], Meta(max_length=64)]


class MetricTold(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert as Alertmanager tells it; of what else stands there nothing is read.

    Attributes:
        status: whether it holds.
        starts_at: since when, with a zone.
    """

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Labels = {}
    starts_at: Annotated[datetime, Meta(tz=True)]
    fingerprint: Annotated[str, Meta(pattern=r"^[0-9a-f]{1,32}$")]


class MetricsTold(msgspec.Struct, frozen=True, kw_only=True):
    """What Alertmanager sends."""

    version: Literal["4"]
    alerts: Annotated[list[MetricTold], Meta(max_length=ALERTS_MAX)]


def alerting_route(ask: Ask, *, clock: Callable[[], int]) -> Route:
    """Return the route that Alertmanager sends to."""

    async def take(asked: Asked) -> web.StreamResponse:
        told = await read_body(asked.request, MetricsTold)
        if told.alerts:
            now_ns = clock()
            await ask(TellMetrics(told=dict(_notice(one, now_ns) for one in told.alerts)))
        return web.Response(status=HTTPStatus.NO_CONTENT)

    return Route(
        method="POST",
        path="/v1/alerts",
        operation="takeAlerts",
        tag="watch",
        summary="Take alerts of Alertmanager, in its webhook's form: they become notices.",
        handler=take,
        rank=Rank.VIEWER,
        paces=(Pace.GENERAL, Pace.ALERTS),
        body=MetricsTold,
        status=HTTPStatus.NO_CONTENT,
        example={
            "version": "4",
            "alerts": [
                {
                    "status": "firing",
                    "labels": {"alertname": "ChainStands", "chain": "base"},
                    "annotations": {"summary": "base has had no block for 2m 5s."},
                    "startsAt": "2026-11-30T12:00:00Z",
                    "fingerprint": "0123456789abcdef",
                }
            ],
        },
    )


def _notice(told: MetricTold, now_ns: int) -> tuple[str, MetricAlert | MetricCalm]:
    """Return a notice by the name that it is stored under once; the ledger writes its own basis."""
    name = told.labels.get("alertname", "")[:_TEXT_MAX] or "a rule without a name"
    about = ", ".join(
        f"{label}={value}" for label, value in sorted(told.labels.items()) if label not in _OURS
    )[:_TEXT_MAX]
    since_s = int(told.starts_at.timestamp())
    notice: MetricAlert | MetricCalm
    if told.status == "firing":
        notice = MetricAlert(
            at_ns=now_ns,
            basis=Basis.SANDBOX,
            name=name,
            about=about,
            fingerprint=told.fingerprint,
            is_critical=told.labels.get("severity") == _CRITICAL,
            summary=told.annotations.get("summary", "")[:_TEXT_MAX],
            runbook=told.annotations.get("runbook", "")[:_TEXT_MAX],
        )
    else:
        notice = MetricCalm(
            at_ns=now_ns, basis=Basis.SANDBOX, name=name, about=about, fingerprint=told.fingerprint
        )
    return f"metric-{told.fingerprint}-{since_s}-{told.status}", notice
