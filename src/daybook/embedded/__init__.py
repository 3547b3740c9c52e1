"""The servers themselves, from wheels: Postgres and NATS for `daybook up`, `daybook demo` and the tests.

`servers.Servers` is the front door: one data folder, both servers, one lock. `supervisor.Supervisor` keeps the
roles running beside them. A production set-up uses none of this; it points DAYBOOK_POSTGRES and DAYBOOK_NATS at
servers of its own.
"""
