"""Confidence intervals of scores: how far they may be from those of more questions of the same kind."""

import math
from statistics import NormalDist

CONFIDENCE = 0.95
LEAST_PAIRS = 4  # with fewer, the variance of a correlation is infinite

Interval = tuple[float, float]


def share_interval(correct: int, asked: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Return Wilson's score interval for a share of `asked` questions; None if none was asked.

    (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)         Wilson 1927, JASA 22

    NOTE: the questions are taken as independent. Those of a section share words, so the true interval is wider.

    Args:
        correct: The number of questions answered as expected.
        asked: The number of questions.
        confidence: The probability that the interval contains the true share.

    Returns:
        The ends of the interval, in [0, 1].

    >>> low, high = share_interval(77, 4716)
    >>> round(low, 4), round(high, 4)
    (0.0131, 0.0204)
    """
    if not asked:
        return None
    z, share = _quantile(confidence), correct / asked
    centre = share + z * z / (2 * asked)
    reach = z * math.sqrt(share * (1 - share) / asked + z * z / (4 * asked * asked))
    scale = 1 + z * z / asked
    low, high = (centre - reach) / scale, (centre + reach) / scale
    return (low if correct else 0.0), (high if correct < asked else 1.0)  # exact at the ends, which rounding would miss


def correlation_interval(correlation: float | None, pairs: int, confidence: float = CONFIDENCE) -> Interval | None:
    """Return the interval for Spearman's ρ, from Fisher's z with the variance of Bonett and Wright.

    tanh(artanh ρ ± z √((1 + ρ²/2) / (n - 3)))                  Bonett & Wright 2000, Psychometrika 65

    Args:
        correlation: ρ of the pairs; None if not defined.
        pairs: The number n of pairs.
        confidence: The probability that the interval contains the true correlation.

    Returns:
        The ends of the interval; None if not defined: without ρ, for ρ of 1 or -1, and below LEAST_PAIRS.

    >>> low, high = correlation_interval(0.5, 103)
    >>> round(low, 4), round(high, 4)
    (0.3287, 0.6394)
    """
    if correlation is None or pairs < LEAST_PAIRS or abs(correlation) >= 1:
        return None
    reach = _quantile(confidence) * math.sqrt((1 + correlation**2 / 2) / (pairs - 3))
    return math.tanh(math.atanh(correlation) - reach), math.tanh(math.atanh(correlation) + reach)


def _quantile(confidence: float) -> float:
    """Return z such that a standard normal variable lies in [-z, z] with this probability: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)
