"""Adds up what the roles recovered from, over their restarts: each counts from its start alone."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from engine.bus.health_reports import RecoveryLine
from engine.domain.recovery import POLICIES, Tallied

KEYS_MAX: Final = 2_000
"""Of role, policy and component; more are not told apart by component."""

Key = tuple[str, str, str]
"""Role, policy, component."""


class Grown(NamedTuple):
    """What was tried since the look before.

    Attributes:
        of: the component that it was tried for; empty if for none.
    """

    policy: str
    of: str
    attempts: int


class Tallies:
    """Totals by role, policy and component.

    Attributes:
        totals: over all restarts.
        seen: as each role counted at the look before.
        changed: keys of which something changed since they were kept.
    """

    def __init__(
        self,
        totals: Mapping[Key, Tallied] | None = None,
        seen: Mapping[Key, Tallied] | None = None,
    ) -> None:
        self.totals: dict[Key, Tallied] = dict(totals or {})
        self.seen: dict[Key, Tallied] = dict(seen or {})
        self.changed: set[Key] = set()

    def take(self, role: str, tallied: Iterable[Tallied]) -> list[Grown]:
        """Take what a role counts now; return what was tried since the look before."""
        now = {self._key(role, one): one for one in tallied}
        if any(_is_less(one, self.seen.get(key)) for key, one in now.items()):
            for key in [key for key in self.seen if key[0] == role]:
                del self.seen[key]  # its process was started anew, and counts from its start
        grown = []
        for key, one in now.items():
            before = self.seen.get(key) or Tallied(policy=one.policy, of=key[2])
            if one == before:
                continue
            self.seen[key] = one
            self.totals[key] = _added(self.totals.get(key), one, before)
            self.changed.add(key)
            if one.attempts > before.attempts:
                grown.append(Grown(one.policy, one.of, one.attempts - before.attempts))
        return grown

    def lines(self) -> list[RecoveryLine]:
        """Return all policies, with what each came to in all roles."""
        return [self._line(policy.name, number) for number, policy in enumerate(POLICIES)]

    def _line(self, name: str, number: int) -> RecoveryLine:
        found = [(key[0], one) for key, one in self.totals.items() if key[1] == name]
        successes = sum(one.successes for _, one in found)
        recover_s = sum(one.recover_s for _, one in found)
        roles: dict[str, int] = {}
        for role, one in found:
            roles[role] = roles.get(role, 0) + one.attempts
        return RecoveryLine(
            policy=name,
            strategy=POLICIES[number].strategy,
            does=POLICIES[number].does,
            attempts=sum(roles.values()),
            successes=successes,
            given_up=sum(one.given_up for _, one in found),
            recover_s_mean=recover_s / successes if successes else 0.0,
            recover_s_max=max((one.recover_s_max for _, one in found), default=0.0),
            roles=roles,
        )

    def _key(self, role: str, one: Tallied) -> Key:
        key = (role, one.policy, one.of)
        return key if key in self.totals or len(self.totals) < KEYS_MAX else (*key[:2], "")


def _is_less(now: Tallied, before: Tallied | None) -> bool:
    return before is not None and (
        now.attempts < before.attempts
        or now.successes < before.successes
        or now.given_up < before.given_up
    )


def _added(total: Tallied | None, now: Tallied, before: Tallied) -> Tallied:
    total = total or Tallied(policy=now.policy, of=now.of)
    return Tallied(
        policy=now.policy,
        of=total.of,
        attempts=total.attempts + now.attempts - before.attempts,
        successes=total.successes + now.successes - before.successes,
        given_up=total.given_up + now.given_up - before.given_up,
        recover_s=total.recover_s + max(now.recover_s - before.recover_s, 0.0),
        recover_s_max=max(total.recover_s_max, now.recover_s_max),
    )
