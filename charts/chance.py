"""Whether a user's average on a page differs from the others' by more than chance.

Only averages are tested: of counts, sums and squared deviations, which is what an
engine answers, no test of a median or another quantile can be made.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from charts.sentences import FEW

SIGNIFICANCE: Final = 0.05
"""How often at most anything is found among pages on which nothing differs."""

# Sums of squares are accurate to some 1e-13 of everyone's; less is rounding.
_SMALLEST_SHARE: Final = 1e-9
_N_TERMS: Final = 24


class Moments(Protocol):
    """What is known of the durations of a group by page; a ``Tally`` is one.

    All arrays have one length.
    """

    @property
    def known(self) -> NDArray[np.int64]:
        """Number of sessions of known duration."""

    @property
    def seconds(self) -> NDArray[np.float64]:
        """Sum of the known durations, in seconds."""

    @property
    def squared_deviations(self) -> NDArray[np.float64]:
        """Sum of squared deviations of the known durations from their mean."""


@dataclass(frozen=True, eq=False)
class Differences:
    """How a user's averages compare with the others', by page."""

    compared: NDArray[np.bool_]
    """(pages,): whether the averages are compared."""
    p_values: NDArray[np.float64]
    """(pages,): how likely chance alone makes such a difference on any of the pages.

    That is the p-value after its correction; NaN where averages aren't compared.
    """

    @property
    def beyond_chance(self) -> NDArray[np.bool_]:
        """(pages,): whether the averages differ by more than chance, at 5 %.

        Where they aren't compared, they don't.
        """
        return self.p_values <= SIGNIFICANCE


def differences(
    user: Moments, everyone: Moments, n_compared: int | None = None
) -> Differences:
    """Compare a user's average on each page with that of all others together.

    *everyone* includes the user. Averages are compared where both sides have at least
    ``FEW`` known durations, and these aren't all equal.

    P-values are corrected for the number of pages that are compared, after Holm. Where
    these are only some of *n_compared*, each is multiplied by that number (Bonferroni),
    so that it doesn't matter which others are given.

    On each page two tests are made, and the larger p-value counts. Durations are
    skewed, and a small sample of them has a small mean and a small spread together, or
    a large mean and a large spread. That makes Welch's t-test, which takes the user's
    spread from the user's sessions, find too much below the average and too little
    above. A draw of the user's sessions from everyone's, without replacement, has a
    spread that is the same whatever is drawn: held against that, too much is found
    above the average and too little below. Both take sessions to be independent.

    Sources: Welch, "The Generalization of 'Student's' Problem when Several Different
    Population Variances are Involved", Biometrika 34 (1947), with the degrees of
    freedom of Satterthwaite (1946); Cochran, "Sampling Techniques" (1977), theorem 2.2,
    for the draw; Holm, "A Simple Sequentially Rejective Multiple Test Procedure",
    Scandinavian Journal of Statistics 6 (1979).
    """
    n, n_others = user.known, everyone.known - user.known
    compared = (n >= FEW) & (n_others >= FEW) & (everyone.squared_deviations > 0)
    p_values = np.full(len(n), np.nan)
    alone = _p_values(
        n[compared].astype(np.float64),
        n_others[compared].astype(np.float64),
        user.seconds[compared],
        everyone.seconds[compared],
        user.squared_deviations[compared],
        everyone.squared_deviations[compared],
    )
    p_values[compared] = (
        _holm(alone) if n_compared is None else np.minimum(alone * n_compared, 1)
    )
    return Differences(compared, p_values)


def _p_values(
    n: NDArray[np.float64],
    n_others: NDArray[np.float64],
    seconds: NDArray[np.float64],
    all_seconds: NDArray[np.float64],
    squared: NDArray[np.float64],
    all_squared: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The p-values of pages that are compared, each as if it were the only one.

    *n* and sums without more words are the user's; squared deviations are positive for
    everyone.
    """
    difference = seconds / n - (all_seconds - seconds) / n_others
    weight = n * n_others / (n + n_others)
    # What is left of everyone's squared deviations without the user's and without those
    # between the two averages; a difference of sums may be rounded to less than it is.
    squared_others = all_squared - squared - weight * difference**2
    squared_others = np.maximum(squared_others, _SMALLEST_SHARE * all_squared)
    variance = squared / (n - 1) / n
    variance_others = squared_others / (n_others - 1) / n_others
    share = variance / (variance + variance_others)
    degrees = 1 / (share**2 / (n - 1) + (1 - share) ** 2 / (n_others - 1))
    welch = student_p_values(difference / np.sqrt(variance + variance_others), degrees)
    draw = difference * np.sqrt(weight * (n + n_others - 1) / all_squared)
    return np.maximum(welch, _normal_p_values(draw))


def student_p_values(
    t: NDArray[np.float64], degrees: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The two-sided p-values of Student's t, within 1e-6 of their value.

    *degrees* of freedom are at least 1, and needn't be whole.

    With x = degrees / (degrees + t ** 2) a p-value is the incomplete beta function
    I_x(degrees / 2, 1 / 2). A recurrence raises its first parameter, by terms that are
    all positive (NIST Digital Library of Mathematical Functions, 8.17.20); of what is
    left an approximation by the normal distribution is accurate (Hill, "Algorithm 395:
    Student's t-Distribution", Communications of the ACM 13 (1970)).
    """
    half, square = degrees / 2, t**2 / degrees
    # x and 1 - x are 1 / (1 + square) and square / (1 + square).
    gammas = [math.lgamma(a + 0.5) - math.lgamma(a + 1) for a in half.tolist()]
    first = np.exp(np.array(gammas) - half * np.log1p(square))
    first *= np.sqrt(square / (1 + square) / math.pi)
    steps = half + np.arange(1, _N_TERMS)[:, None]
    factors = (steps - 0.5) / steps / (1 + square)
    terms = first * (1 + np.cumprod(factors, axis=0).sum(axis=0))

    a = degrees + 2 * _N_TERMS - 0.5
    b = 48 * a**2
    w = a * np.log1p(square)
    correction = (w + 3) / b
    correction -= (((0.4 * w + 3.3) * w + 24) * w + 85.5) / (0.8 * w**2 + 100 + b) / b
    p_values: NDArray[np.float64] = terms
    p_values += _normal_p_values(np.sqrt(w) * (1 + correction))
    return p_values


def _normal_p_values(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """The two-sided p-values of a standard normal *z*."""
    return np.array([math.erfc(abs(x) / math.sqrt(2)) for x in z.tolist()])


def _holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correct p-values for their number, so that they hold for all of them together."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    steps = np.maximum.accumulate(factors * p_values[order])
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
