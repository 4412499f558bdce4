"""Reports of health and incidents, as the ledger answers them."""

from msgspec.structs import replace

from engine.bus.health_reports import (
    ComponentLine,
    HealthReport,
    IncidentReport,
    IncidentsReport,
    IncidentSummary,
    RecoveryLine,
    SightsReport,
    summary_of,
)
from engine.bus.notices import IncidentEnded, IncidentOpened, Notice, ResourceShort
from engine.bus.reports import Unknown
from engine.bus.use_reports import (
    BoundLine,
    BudgetLine,
    KeptLine,
    RunsLine,
    UseLine,
    UseReport,
)
from engine.domain.health import (
    NETWORK,
    Health,
    Incident,
    IncidentLine,
    Member,
    Said,
    Sight,
    Weight,
)
from engine.domain.modes import Basis
from engine.domain.recovery import POLICIES
from engine.health.component_list import in_order, kind_of

S = 1_000_000_000
AT_NS = 1_790_000_000 * S
"""As in `samples`, which has these."""

_DAY = 86_400 * S
_ALWAYS = (
    *("role/sandbox", "role/ledger", "role/engine", "role/chains", "role/bot", "role/workers"),
    *("role/gateway", "database", "disk", "recorder", "telegram"),
    *("feed/binance", "feed/coinbase", "chain/base", "rpc/base/one.example 1"),
)


def _line(
    name: str, health: Health = Health.WELL, *, why: str = "", ago_s: int = 90_000, day: float = 1.0
) -> ComponentLine:
    since_ns = AT_NS - ago_s * S
    begun = [(AT_NS - _DAY, Health.WELL)]
    changes = begun if health is Health.WELL else [*begun, (since_ns, health)]
    return ComponentLine(
        name=name,
        says=kind_of(name).says,
        health=health,
        why=why,
        since_ns=since_ns,
        available={"1 h": min(day, 0.98), "24 h": day, "7 d": day},
        changes=changes,
    )


def seen() -> SightsReport:
    """Return what the engine sees by itself."""
    return SightsReport(
        sights=[
            Sight(
                component="feed/gemini",
                health=Health.DOWN,
                why="disconnected, 6 books",
                since_ns=AT_NS - 95 * S,
            ),
            Sight(component="feed/binance", health=Health.WELL),
            Sight(component="telegram", health=Health.DOWN, why="no chat reaches you"),
        ]
    )


def health() -> HealthReport:
    lines = {
        **{name: _line(name) for name in _ALWAYS},
        "feed/gemini": _line(
            "feed/gemini", Health.DOWN, why="disconnected, 6 books", ago_s=95, day=0.9921
        ),
        "rpc/base/two.example 2": _line(
            "rpc/base/two.example 2", Health.DOWN, why="quarantined: another chain", ago_s=88
        ),
        "wallet": _line("wallet", Health.DEGRADED, why="it is locked", ago_s=4_000),
    }
    return HealthReport(
        basis=Basis.SANDBOX,
        at_ns=AT_NS + 118 * S,
        components=[lines[name] for name in in_order(lines)],
        open_incidents=[7],
        incidents=7,
        failures=19,
        watched_since_ns=AT_NS - 8 * _DAY,
        recoveries=_recoveries(),
    )


def _recoveries() -> list[RecoveryLine]:
    used = {
        "feed-reconnect": (57, 19, 0, 2.4, 41.0, {"engine": 57}),
        "other-provider": (312, 310, 1, 0.6, 4.8, {"chains": 312}),
        "task-quarantine": (1, 0, 0, 0.0, 0.0, {"workers": 1}),
        "role-restart": (3, 3, 0, 6.5, 12.0, {"ledger": 3}),
    }
    lines = []
    for policy in POLICIES:
        line = RecoveryLine(policy=policy.name, strategy=policy.strategy, does=policy.does)
        if policy.name in used:
            attempts, successes, given_up, mean_s, most_s, roles = used[policy.name]
            line = replace(
                line,
                attempts=attempts,
                successes=successes,
                given_up=given_up,
                recover_s_mean=mean_s,
                recover_s_max=most_s,
                roles=roles,
            )
        lines.append(line)
    return lines


def _incident() -> Incident:
    def seen(after_s: int, component: str, text: str) -> IncidentLine:
        at_ns = AT_NS - 95 * S + after_s * S
        return IncidentLine(at_ns=at_ns, component=component, said=Said.SEEN, text=text)

    return Incident(
        number=7,
        opened_at_ns=AT_NS - 95 * S,
        cause=NETWORK,
        weight=Weight.MAJOR,
        members={
            "feed/gemini": Member(failed_at_ns=[AT_NS - 95 * S]),
            "rpc/base/two.example 2": Member(failed_at_ns=[AT_NS - 88 * S]),
        },
        lines=[
            seen(0, "feed/gemini", "down: disconnected, 6 books"),
            IncidentLine(
                at_ns=AT_NS - 93 * S,
                component="feed/gemini",
                said=Said.TRIED,
                text="reconnect, 3 times",
            ),
            seen(7, "rpc/base/two.example 2", "down: quarantined: another chain"),
        ],
        is_told=True,
    )


def incident(number: int) -> IncidentReport | Unknown:
    if number not in (0, 7):
        return Unknown(what=f"no incident has the number {number}")
    return IncidentReport(basis=Basis.SANDBOX, at_ns=AT_NS, incident=_incident())


def incidents() -> IncidentsReport:
    over = IncidentSummary(
        number=6,
        opened_at_ns=AT_NS - 40_000 * S,
        ended_at_ns=AT_NS - 39_940 * S,
        cause="role/engine",
        weight=Weight.CRITICAL,
        components=("role/engine", "feed/binance", "feed/coinbase"),
        failures=3,
    )
    return IncidentsReport(
        basis=Basis.SANDBOX, at_ns=AT_NS, incidents=[summary_of(_incident()), over]
    )


def notices(at_ns: int, basis: Basis) -> list[Notice]:
    components = ("feed/kraken", "rpc/base/one.example 1", "rpc/base/two.example 2")
    return [
        IncidentOpened(
            at_ns=at_ns,
            basis=basis,
            number=7,
            opened_at_ns=at_ns - 20 * S,
            cause=NETWORK,
            weight=Weight.MAJOR,
            components=components,
        ),
        IncidentEnded(
            at_ns=at_ns,
            basis=basis,
            number=7,
            cause=NETWORK,
            components=components,
            lasted_ms=184_000,
        ),
        ResourceShort(
            at_ns=at_ns,
            basis=basis,
            what="alchemy.com-units-month",
            sentence="alchemy.com: 24,100,000 of 30,000,000 units of this month, and 33,000,000 at"
            " its end at this pace",
        ),
    ]


def use() -> UseReport:
    def points(*ratios: float) -> list[tuple[int, float]]:
        return [(AT_NS - (len(ratios) - n) * 28_800 * S, one) for n, one in enumerate(ratios)]

    def line(name: str, requests: int, units: float, mb: float, connections: int) -> UseLine:
        return UseLine(
            name=name,
            requests_day=requests,
            units_day=units,
            mb_day=mb,
            units_month=24 * units,
            mb_month=24 * mb,
            connections=connections,
        )

    return UseReport(
        basis=Basis.SANDBOX,
        at_ns=AT_NS,
        uses=[
            line("rpc/base-mainnet.g.alchemy.com", 41_200, 1_004_166.0, 812.4, 2),
            line("venue/gemini", 310, 310.0, 1_204.6, 1),
        ],
        budgets=[
            BudgetLine(
                name="alchemy.com",
                unit="units",
                period="month",
                used=24_100_000.0,
                most=30_000_000.0,
                forecast=33_000_000.0,
                is_short=True,
            ),
            BudgetLine(
                name="gemini",
                unit="MB",
                period="day",
                used=1_204.6,
                most=5_000.0,
                forecast=None,
                is_short=False,
            ),
        ],
        free_mb=41_200.0,
        total_mb=80_000.0,
        full_in_h=900.0,
        kept=[
            KeptLine(what="recordings", mb=511.2, files=92, keeps="512 MB, the oldest go first"),
            KeptLine(what="exports", mb=3.1, files=4, keeps="90 days"),
        ],
        bounds=[
            BoundLine(name="budgets", ratio=0.803, per_h=0.002, points=points(0.79, 0.795, 0.803)),
            BoundLine(name="disk", ratio=0.485, per_h=None, points=points(0.48, 0.484, 0.485)),
            BoundLine(name="processor", ratio=0.31, per_h=-0.01, points=points(0.4, 0.2, 0.31)),
        ],
        runs=RunsLine(
            running=2,
            room=3,
            room_why="the processor is busy",
            points=[
                (at_ns, 2, room)
                for (at_ns, _), room in zip(points(1, 1, 1), (5, 1, 3), strict=True)
            ],
        ),
        short=[
            "alchemy.com: 24,100,000 of 30,000,000 units of this month, 33,000,000 at this pace"
        ],
    )
