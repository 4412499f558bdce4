"""THE list of requests: it feeds the decoders of the roles that answer them."""

from typing import Any

from engine.bus.records import Append, LoadState
from engine.bus.request import Request
from engine.requests import (
    alerts,
    approvals,
    audit,
    balance,
    chat,
    kills,
    life,
    limits,
    money,
    overview,
    performance,
    places,
    presence,
    safety,
    why,
)

REQUESTS: tuple[type[Request[Any]], ...] = (
    overview.GetStatus,
    overview.GetEngines,
    overview.GetVenues,
    overview.GetOpportunities,
    overview.GetLimits,
    overview.GetSpreads,
    balance.GetBalance,
    overview.GetVersion,
    why.GetWhy,
    why.GetStoredWhy,
    safety.Pause,
    safety.Resume,
    safety.SetMode,
    safety.CancelDelayed,
    limits.SetLimit,
    places.GetPlaces,
    places.SwitchOff,
    places.SwitchOn,
    approvals.GetApprovals,
    approvals.AnswerApproval,
    approvals.GetMandates,
    approvals.GrantMandate,
    approvals.RevokeMandate,
    approvals.GetWaiting,
    safety.ResetBalance,
    safety.Kill,
    safety.Unkill,
    money.GetTrades,
    money.GetEngineIds,
    money.GetPnl,
    money.GetExport,
    audit.GetAudit,
    presence.SignOfLife,
    presence.ChatSees,
    presence.PromptShown,
    kills.GetAftermath,
    kills.DrillKill,
    performance.GetPerformance,
    life.GetLife,
    life.GetExposure,
    performance.GetBooks,
    chat.PutInbox,
    chat.TakeInbox,
    chat.DoneInbox,
    chat.GetNotices,
    chat.DoneNotices,
    chat.PinThread,
    chat.GetThreads,
    chat.GetKept,
    alerts.ActOnAlerts,
    Append,
    LoadState,
)


def requests_of(role: str) -> list[type[Request[Any]]]:
    """Return what a role answers."""
    return [one for one in REQUESTS if one.role == role]
