"""What of the alerts is kept over restarts: a few values by name."""

import logging
from collections.abc import Mapping
from typing import Final

import msgspec

from bot.alerts.alert import Alert
from bot.alerts.daily import Day
from bot.alerts.machine import DAY, STORM, AlertMachine
from bot.alerts.storm import Storm
from bot.alerts.terms import Terms

_log = logging.getLogger(__name__)

ALERT: Final = "alert/"
TERMS: Final = "terms"


def encode(machine: AlertMachine) -> dict[str, bytes]:
    """Return what is kept, by name."""
    kept: dict[str, msgspec.Struct] = {TERMS: machine.terms, DAY: machine.day}
    if machine.storm is not None:
        kept[STORM] = machine.storm
    kept.update({f"{ALERT}{name}": alert for name, alert in machine.alerts.items()})
    return {name: msgspec.json.encode(one) for name, one in kept.items()}


def adopt(machine: AlertMachine, kept: Mapping[str, bytes]) -> None:
    """Take up what a former process kept; what this one knows already is the newer."""
    for name, value in kept.items():
        try:
            _adopt(machine, name, value)
        except msgspec.DecodeError as error:
            _log.warning("%s of another version was left out: %s", name, error)


def _adopt(machine: AlertMachine, name: str, value: bytes) -> None:
    if name == TERMS:
        machine.terms = msgspec.json.decode(value, type=Terms)
    elif name == DAY:
        machine.day = msgspec.json.decode(value, type=Day)
    elif name == STORM:
        machine.storm = msgspec.json.decode(value, type=Storm)
    elif name.startswith(ALERT):
        alert = msgspec.json.decode(value, type=Alert)
        known = machine.alerts.setdefault(alert.fingerprint, alert)
        if known is not alert:
            known.episode += alert.episode
