"""What the application gives its handlers, by name."""

from litestar.di import NamedDependency

from daybook.access.authority import Principal
from daybook.app import App
from daybook.log.pending import Context
from daybook.web.caller import Caller

InjectedApp = NamedDependency[App]
InjectedCaller = NamedDependency[Caller]
"""Read from this request's headers."""
InjectedAsker = NamedDependency[Context]
"""Who asks, and why: of what is recorded although it is no command of the book."""
InjectedPrincipal = NamedDependency[Principal]
"""Who was authenticated."""
