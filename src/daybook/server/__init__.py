"""The server under the edge: connections within limits, TLS, and which requests are let in."""
