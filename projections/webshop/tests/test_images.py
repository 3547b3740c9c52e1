"""Pictures: the shop copies them under names of its own, and refuses what has no name of a picture."""

import pytest

from daybook.channel.contract import Confirmed, Held
from daybook.channel.testing import History, render
from daybook.events import MediaAdded
from daybook_projections.webshop import manifest
from daybook_projections.webshop.tests.desk import Desk, at_the_desk


def rendered(*addresses: str) -> dict[str, object]:
    history = History().product(
        "BAG", attributes={"name": "Bag"}, price=("default", "19.90", "EUR"), stock={"main": 5}, listed=("webshop",)
    )
    for address in addresses:
        history.happened(MediaAdded(media_id=address, url=address, role="image"))
    return {facet: payload for (_, facet), payload in render(manifest, history).items()}


@pytest.mark.parametrize(
    "name",
    [
        *("my%20bag.jpg", "my bag.jpg", "my%2520bag.png", "b%C3%BC.png", "日本.png", "%20.png", "-a-.png", "a+b.png"),
        *("a%2Fb.png", "x%23y.png", "a..b.png", "BAG.PNG", "bag.jpg?v=2&size=1.5", "a~b.png", "(1).png", "é.png"),
        *("pictures/42", "pictures/", "image.php", "bag.jpg#top"),
    ],
)
def test_a_picture_is_read_back_as_it_was_brought_whatever_the_shop_calls_its_copy(name: str) -> None:
    listing = rendered(f"https://cdn.example/{name}")

    async def scenario(desk: Desk) -> None:
        assert isinstance(await desk.push(listing), Confirmed)  # type: ignore[arg-type]
        assert await desk.read(listing) == listing  # type: ignore[arg-type]
        desk.shop.shop.records[int(desk.ids["BAG"])]["images"][0]["src"] = "https://shop.example/uploads/other.jpg"
        assert (await desk.read(listing))["product"] != listing["product"]  # type: ignore[arg-type]

    at_the_desk(scenario)


@pytest.mark.parametrize("name", ["42?w=1", "bag.heic", "bag.avif", "image.php?id=1"])
def test_a_product_none_of_whose_pictures_the_shop_would_take_is_held_with_the_reason(name: str) -> None:
    held = rendered(f"https://cdn.example/{name}")["product"]
    assert isinstance(held, Held)
    (reason,) = held.reasons
    assert name in reason


def test_of_several_pictures_those_that_the_shop_takes_are_sent() -> None:
    product = rendered("https://cdn.example/bag.heic", "https://cdn.example/bag.jpg")["product"]
    assert isinstance(product, dict)
    assert [each["src"] for each in product["images"]] == ["https://cdn.example/bag.jpg"]
