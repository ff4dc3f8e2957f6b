"""How many examples Hypothesis tries."""

from hypothesis import HealthCheck, settings

PROFILE = "project"
"""The profile of Hypothesis that is taken where none is named."""

_ALL = 100
_FEWEST = 10

# A machine that is busy makes no test fail. A test of a suite runs for each subclass.
_COMMON = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.register_profile(PROFILE, _COMMON, max_examples=30)
settings.register_profile("thorough", _COMMON, max_examples=_ALL)


def examples(n: int) -> settings:
    """Try *n* examples where tests are thorough, else 30 % of them, but at least 10.

    They are with ``--hypothesis-profile=thorough``, which also holds for tests that
    name no number. Each run tries others.
    """
    share = n * settings().max_examples // _ALL
    return settings(max_examples=max(share, min(n, _FEWEST)))
