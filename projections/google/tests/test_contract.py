"""Google keeps the contract of every channel."""

from msgspec.structs import replace

from daybook.channel.testing import catalogue, check_channel
from daybook_projections.google import manifest


def test_google_keeps_the_contract_of_every_channel() -> None:
    shop = replace(manifest.defaults, extra={"product_url": "https://shop.example.com/p/{sku}"})
    check_channel(manifest, catalogue(manifest).happened(shop))
