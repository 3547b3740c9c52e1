"""Webhooks go to the public internet, and to a private network only on request."""

import asyncio

import pytest

from daybook.channel.contract import ChannelUnavailable, Confirmed, Outcome, Push
from daybook.channel.reach import forbidden
from daybook_projections.webhook.connector import WebhookConnector
from daybook_projections.webhook.sandbox.server import PATH, WebhookSandbox
from daybook_projections.webhook.tests.desk import Names

METADATA = (
    *("169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"),
    *("168.63.129.16", "100.100.100.200", "fd00:ec2::254"),
)
NOWHERE = ("0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:0.0.0.0")
PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1"),
    *("::1", "fd12::1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:10.1.2.3", "64:ff9b::7f00:1", "64:ff9b::a00:1"),
)
SPECIAL = (
    *("192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "2001:db8::1", "2001::1", "3fff::1"),
    *("2002:7f00:1::", "::7f00:1", "::127.0.0.1", "64:ff9b:1::1", "100::1", "5f00::1", "fec0::1", "4000::1"),
)
PUBLIC = (
    *("1.1.1.1", "172.15.255.255", "172.32.0.1", "100.128.0.1", "169.253.1.1", "223.255.255.255", "2606:4700::1111"),
    *("::ffff:1.1.1.1", "64:ff9b::101:101", "2a00:1450::1"),
)


@pytest.mark.parametrize("address", [*METADATA, *NOWHERE, *SPECIAL])
def test_metadata_services_and_what_is_no_host_are_never_reached(address: str) -> None:
    for allowed in (False, True):
        reason = forbidden(address, allowed)
        assert reason is not None
        assert address in reason


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_network_is_reached_only_when_that_is_allowed(address: str) -> None:
    assert "allow_private is not set" in str(forbidden(address))
    assert forbidden(address, private_allowed=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str) -> None:
    assert forbidden(address) is None


def told(host: str, *addresses: str, **more: str) -> tuple[Outcome, int]:
    """The outcome of a push to `host`, and how many requests reached the sandbox on the loopback interface."""

    async def run() -> tuple[Outcome, int]:
        sandbox = WebhookSandbox()
        url = await sandbox.start()
        settings = sandbox.settings() | {
            "allow_private": "false",
            "url": f"http://{host}:{url.rpartition(':')[2]}{PATH}",
        }
        connector = WebhookConnector(settings | more, resolver=Names(*addresses) if addresses else None)
        push = Push(
            sku="S1",
            key="S1",
            facet="product",
            payload=None,
            listing={},
            remote_id=None,
            remote_ids={},
            position=1,
            attempt=1,
        )
        try:
            return await connector.push(push), len(sandbox.received)
        finally:
            await connector.close()
            await sandbox.stop()

    return asyncio.run(run())


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "::ffff:169.254.169.254", "::1", "10.0.0.1"]
)
def test_a_public_name_for_a_private_address_is_not_connected_to(address: str) -> None:
    outcome, requests = told("hooks.example.com", address)
    assert isinstance(outcome, ChannelUnavailable)
    assert f"not connected: {address} is" in outcome.reason
    assert requests == 0


def test_one_forbidden_address_among_several_is_passed_over() -> None:
    outcome, requests = told("hooks.example.com", "169.254.169.254", "127.0.0.1", allow_private="true")
    assert isinstance(outcome, Confirmed)
    assert requests == 1
    outcome, requests = told("hooks.example.com", "169.254.169.254", "127.0.0.1")
    assert isinstance(outcome, ChannelUnavailable)
    assert requests == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "127.1"])
def test_every_spelling_of_this_machine_is_refused(host: str) -> None:
    outcome, requests = told(host)
    assert isinstance(outcome, ChannelUnavailable)
    assert requests == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
def test_the_same_requests_arrive_once_private_networks_are_allowed(host: str) -> None:
    outcome, requests = told(host, allow_private="true")
    assert isinstance(outcome, Confirmed)
    assert requests == 1
