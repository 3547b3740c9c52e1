"""What the application gives its handlers, by name."""

from litestar.di import NamedDependency

from daybook.app import App
from daybook.http.caller import Caller

InjectedApp = NamedDependency[App]
InjectedCaller = NamedDependency[Caller]
"""Read from this request's headers."""
