"""What places of this process have counted of their recoveries, since a test began to look."""

from dataclasses import dataclass, field

from engine.domain.recovery import TALLY, Policy, Tallied


def counted(policy: Policy) -> Tallied:
    """Return what a policy came to in this process, for all components together."""
    found = [one for one in TALLY.all() if one.policy == policy.name]
    return Tallied(
        policy=policy.name,
        attempts=sum(one.attempts for one in found),
        successes=sum(one.successes for one in found),
        given_up=sum(one.given_up for one in found),
    )


@dataclass
class Since:
    """What a policy came to since this was made."""

    policy: Policy
    before: Tallied = field(init=False)

    def __post_init__(self) -> None:
        self.before = counted(self.policy)

    @property
    def came_to(self) -> tuple[int, int, int]:
        """Attempts, successes, given up."""
        now = counted(self.policy)
        return (
            now.attempts - self.before.attempts,
            now.successes - self.before.successes,
            now.given_up - self.before.given_up,
        )
