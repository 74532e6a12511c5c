"""The base class of tests that start something."""

import contextlib

import pytest


class Case:
    """Ends what a test has started."""

    @pytest.fixture(autouse=True)
    def ends(self):
        with contextlib.ExitStack() as self._ends:
            yield

    @classmethod
    @contextlib.contextmanager
    def alone(cls):
        """Another case within a test."""
        case = cls()
        with contextlib.ExitStack() as case._ends:
            yield case

    def at_end(self, function, *args, **kwargs):
        self._ends.callback(function, *args, **kwargs)

    def keep(self, started):
        """Returns what it is given, and stops or closes it at the end."""
        self.at_end(getattr(started, "stop", None) or started.close)
        return started
