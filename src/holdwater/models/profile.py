"""Profile-likelihood limits of one parameter: how far it can go before the best fit of the others gets too bad."""

from __future__ import annotations

import math

import numpy as np

from holdwater.models.newton import Array, Hill, Slope, Top, climb

REACH = 60.0  # of a logarithm from where the search starts: beyond it no limit is looked for
_LONGEST_STEP = 2.0  # the first one; each further one into the unknown may be half as long again
_LOOKS = 100


def profile_limits(hill: Hill, top: Top, index: int, deviate: float) -> tuple[float, float]:
    """Below and above the top, where the logarithm of the parameter costs half the square of `deviate` in height.

    `deviate` is 1.645 for 90 %. Infinite on a side where the hill never falls so far: the data set no limit there.
    Unlike Laplace's approximation this holds for lopsided hills too.
    """
    return _limit(hill, top, index, deviate, -1), _limit(hill, top, index, deviate, +1)


def _limit(hill: Hill, top: Top, index: int, deviate: float, side: int) -> float:
    """Newton's steps to the root of the drop, which is almost a straight line, kept between places known."""
    start = float(top.at[index])
    spread = math.sqrt(max(top.covariance[index, index], 0.0))
    place = start + side * min(deviate * spread if spread > 0 else 1.0, _LONGEST_STEP)  # NaN where the top is flat
    near, far = start, side * math.inf
    rest, longest = np.delete(top.at, index), _LONGEST_STEP
    for _ in range(_LOOKS):
        if abs(place - start) > REACH and math.isinf(far):
            return far
        rest, slope = _best_of_the_rest(hill, rest, index, place)
        drop = math.sqrt(max(2 * (top.slope.height - slope.height), 0.0))
        if drop < deviate:
            near = place
        else:
            far = place
        steepness = -float(slope.gradient[index]) / drop if drop else 0.0
        following = place + (deviate - drop) / steepness if side * steepness > 0 else math.nan
        if math.isinf(far):
            if not side * following <= side * place + longest:
                following = place + side * longest
            longest *= 1.5
        if abs(following - place) <= 1e-11 * max(1.0, abs(place)):
            return following
        if not min(near, far) < following < max(near, far):
            following = (near + far) / 2
            if abs(far - near) <= 1e-11 * max(1.0, abs(near)):
                return following
        place = following
    return place


def _best_of_the_rest(hill: Hill, start: Array, index: int, place: float) -> tuple[Array, Slope]:
    """The highest place where the parameter `index` is held, and the whole hill's slope there."""
    others = np.delete(np.arange(len(start) + 1), index)

    def held(at: Array) -> Slope:
        slope = hill(np.insert(at, index, place))
        return Slope(slope.height, slope.gradient[others], slope.hessian[np.ix_(others, others)])

    found = climb(held, start).at if len(start) else start
    return found, hill(np.insert(found, index, place))
