"""cvxpy in its own process: splits and cycles over constant product pools as convex problems.

A pool lets out what keeps the geometric mean of its reserves. Problems are compiled before; the
call that is timed sets the reserves as parameters and solves with Clarabel, cvxpy's own choice.
"""

import math
from typing import Any

import cvxpy as cp  # type: ignore[import-not-found]

from benchmarks.peers.worker import Answer, Task, serve, time_calls

ROUNDS = 60
TOLERANCE = 1e-9


class _Pool:
    """One pool of a problem: its parameters, and the constraint between input and output."""

    def __init__(self) -> None:
        self.room: Any = cp.Parameter(nonneg=True)
        self.rate: Any = cp.Parameter(nonneg=True)
        self.paid: Any = cp.Variable(nonneg=True)
        self.got: Any = cp.Variable(nonneg=True)

    def constraint(self) -> Any:
        """(1 + kept / reserve in) (1 - got / reserve out) >= 1, both sides as geometric means."""
        return cp.geo_mean(cp.hstack([1 + self.rate * self.paid, 1 - self.room * self.got])) >= 1

    def set(self, reserve_in: float, reserve_out: float, keep_ratio: float) -> None:
        self.rate.value, self.room.value = keep_ratio / reserve_in, 1.0 / reserve_out


class _Problem:
    """A task's own problem, compiled by its first solution."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._pools = [_Pool() for _ in task["pools"]]
        self._amount: Any = cp.Parameter(nonneg=True)
        paid = [pool.paid for pool in self._pools]
        got = [pool.got for pool in self._pools]
        constraints = [pool.constraint() for pool in self._pools]
        if task["kind"] == "split":
            constraints.append(sum(paid) <= self._amount)
            goal = sum(got)
        else:
            constraints += [
                later <= earlier for later, earlier in zip(paid[1:], got[:-1], strict=True)
            ]
            goal = got[-1] - paid[0]
        self._problem: Any = cp.Problem(cp.Maximize(goal), constraints)

    def solve(self) -> None:
        for pool, row in zip(self._pools, self._task["pools"], strict=True):
            pool.set(*row)
        self._amount.value = self._task.get("amount", 0.0)
        self._problem.solve(
            solver=cp.CLARABEL,
            tol_gap_abs=TOLERANCE,
            tol_gap_rel=TOLERANCE,
            tol_feas=TOLERANCE,
        )

    @property
    def shares(self) -> list[float]:
        """What each pool is paid."""
        return [float(pool.paid.value) for pool in self._pools]

    @property
    def value(self) -> float:
        """The output of a split, the gain of a cycle."""
        value = float(self._problem.value)
        if not math.isfinite(value):
            raise RuntimeError(f"cvxpy ended with {self._problem.status}")
        return value


def answer(tasks: list[Task]) -> list[Answer]:
    """Solve every problem and time it."""
    answers = []
    for task in tasks:
        problem = _Problem(task)
        problem.solve()
        durations = time_calls(problem.solve, ROUNDS)
        answers.append(
            {"shares": problem.shares, "value": problem.value, "durations_ns": durations}
        )
    return answers


if __name__ == "__main__":
    serve(answer)
