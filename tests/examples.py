"""How many examples tests try: fewer, but where ``sh tests/run --all`` asks for all."""

import os
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings

PROFILE = "project"
"""The profile of Hypothesis that is taken where none is named."""

_ALL = 100
_FEWEST = 10

# A machine that is busy makes no test fail. A test of a suite runs for each subclass.
_COMMON = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.differing_executors],
)
settings.register_profile(PROFILE, _COMMON, max_examples=10)
settings.register_profile("thorough", _COMMON, max_examples=_ALL)

_Tests = TypeVar("_Tests", bound=type)
_T = TypeVar("_T")

ALL: Final = bool(os.environ.get("TEST_ALL"))
"""Whether all examples are tried."""


much_alike: Final = pytest.mark.skipif(not ALL, reason="sh tests/run --all runs it")
"""Marks a test of what others test nearly as well, or that takes long for it."""


def some_of(n: int, values: Sequence[_T]) -> Sequence[_T]:
    """The first *n* of a test's examples, or all of them."""
    return values if ALL else values[:n]


def examples(n: int) -> settings:
    """Try *n* examples where tests are thorough, else 10 % of them, but at least 10.

    They are with ``--hypothesis-profile=thorough``, which also holds for tests that
    name no number. Each run tries others.
    """
    share = n * settings().max_examples // _ALL
    return settings(max_examples=max(share, min(n, _FEWEST)))


def all_with_examples(n: int) -> Callable[[_Tests], _Tests]:
    """Have all property tests that a class inherits try as many as ``examples(n)``.

    It is for a suite's subclasses whose engines are slow, or much like another's.
    """

    def decorate(tests: _Tests) -> _Tests:
        for name in dir(tests):
            handle = getattr(getattr(tests, name), "hypothesis", None)
            if handle is not None:
                # What a test was decorated with is of the class that it is from.
                test = given(**handle._given_kwargs)(handle.inner_test)
                setattr(tests, name, examples(n)(test))
        return tests

    return decorate
