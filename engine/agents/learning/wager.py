"""Whether something beats its baseline, looked at as often as anybody likes.

A wager is money put again and again on "better than the baseline": a stake of what is there is won
or lost in proportion to how much better a forecast was, from -1 to 1. If it is no better, what is
there does not grow on average, so that it ever reaches `1 / alpha` with a probability of `alpha`
at most (Ville's inequality). No number of looks changes that, nor heavy tails, nor a variance that
changes. Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, 2024.
"""

from typing import Final

import msgspec

STAKES: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
"""Shares that are put on it, side by side: none is right for all sizes of what is gained."""

ALPHA: Final = 0.05
CAP: Final = 5.0
"""What is there counts up to so many times what opens: what stops being better closes soon."""

RECENT: Final = 100
"""Judgements that count as recent, about."""


class Wager(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a forecast against its baseline, until now.

    Attributes:
        alpha: how probable it may be that it opens though nothing is better.
        purses: what is there of 1, by stake.
        is_open: the forecast may act: it proved better, and was so recently.
        judged: how often it was judged.
        recent: how much better it was lately, from -1 to 1.
        model_loss, naive_loss: sums of all losses.
    """

    alpha: float = ALPHA
    purses: tuple[float, ...] = (1.0,) * len(STAKES)
    is_open: bool = False
    judged: int = 0
    recent: float = 0.0
    model_loss: float = 0.0
    naive_loss: float = 0.0

    @property
    def evidence(self) -> float:
        """Return what is there of 1: so many times likelier than without being better."""
        return sum(self.purses) / len(self.purses)

    @property
    def skill(self) -> float:
        """Return the share of the baseline's loss that the forecast saves; 0 before any."""
        return 1 - self.model_loss / self.naive_loss if self.naive_loss > 0 else 0.0

    def judge(self, *, model_loss: float, naive_loss: float) -> "Wager":
        """Return what is known after losses of both, neither below zero.

        For squares of errors whose distribution is symmetric with one peak this is no better than
        fair where the baseline is right; for losses of at most 1 use `judge_bounded`.
        """
        both = model_loss + naive_loss
        better = (naive_loss - model_loss) / both if both > 0 else 0.0
        return self._after(better, model_loss, naive_loss)

    def judge_bounded(self, *, model_loss: float, naive_loss: float) -> "Wager":
        """Return what is known after losses of both, each from 0 to 1."""
        return self._after(naive_loss - model_loss, model_loss, naive_loss)

    def _after(self, better: float, model_loss: float, naive_loss: float) -> "Wager":
        cap = CAP / self.alpha
        purses = tuple(
            min(cap, purse * (1 + stake * better))
            for purse, stake in zip(self.purses, STAKES, strict=True)
        )
        judged = self.judged + 1
        recent = self.recent + (better - self.recent) / min(judged, RECENT)
        evidence = sum(purses) / len(purses)
        proven = evidence >= (1.0 if self.is_open else 1 / self.alpha)
        return Wager(
            alpha=self.alpha,
            purses=purses,
            is_open=proven and recent > 0,
            judged=judged,
            recent=recent,
            model_loss=self.model_loss + model_loss,
            naive_loss=self.naive_loss + naive_loss,
        )


def alpha_of_trial(trial: int, alpha: float = ALPHA) -> float:
    """Return what each of endlessly many trials (1, 2, ..) may use, so that all keep `alpha`."""
    return alpha / (trial * (trial + 1))
