"""Tests that start something."""

import contextlib

import pytest


class Case:
    """What a test starts ends with it."""

    @pytest.fixture(autouse=True)
    def ends(self):
        with contextlib.ExitStack() as self._ends:
            yield

    @classmethod
    @contextlib.contextmanager
    def alone(cls):
        """One more of these within a test."""
        case = cls()
        with contextlib.ExitStack() as case._ends:
            yield case

    def at_end(self, function, *args, **kwargs):
        self._ends.callback(function, *args, **kwargs)

    def keep(self, started):
        """What is given, which will be stopped or closed."""
        self.at_end(getattr(started, "stop", None) or started.close)
        return started
