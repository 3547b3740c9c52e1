"""The contract suite finds a connector that says more than it does: two honest ones, each made to lie in one way."""

from collections.abc import Callable, Mapping

import pytest
from msgspec.structs import replace

from daybook.channel.contract import Confirmed, Connector, Manifest, Outcome, Payload, Push, ReadsBack, Shown
from daybook.channel.testing import check_channel
from daybook_projections.shopify import manifest as shopify
from daybook_projections.template import manifest as template

Lie = Callable[["Liar", Push], Push | Outcome]


class Liar:
    """Hands a push to the honest connector, as it is or bent, or answers it without a call."""

    def __init__(self, honest: Connector, lie: Lie) -> None:
        self.honest, self._lie = honest, lie
        self.first: dict[tuple[str, str], Payload] = {}
        """The payload that each facet had when it was pushed for the first time."""

    async def push(self, push: Push) -> Outcome:
        if push.payload is not None:
            self.first.setdefault((push.sku, push.facet), push.payload)
        told = self._lie(self, push)
        return await self.honest.push(told) if isinstance(told, Push) else told

    async def confirm(self, push: Push, submission: str) -> Outcome:
        return await self.honest.confirm(push, submission)

    async def close(self) -> None:
        await self.honest.close()


class ForgetfulReader(Liar):
    """Reads back every listing as if it had been taken off."""

    async def read(self, push: Push) -> Shown:
        return Shown(dict.fromkeys(push.listing))


def lying(manifest: Manifest, lie: Lie, kind: type[Liar] = Liar) -> Manifest:
    honest = manifest.connector
    assert honest is not None

    def connector(settings: Mapping[str, str]) -> Connector:
        return kind(honest(settings), lie)

    return replace(manifest, connector=connector)


def told(push: Push) -> Confirmed:
    return Confirmed(remote_id=push.remote_id or push.sku)


def without_a_call(chosen: Callable[[Push], bool]) -> Lie:
    """The chosen pushes are confirmed, and nothing is sent."""
    return lambda _, push: told(push) if chosen(push) else push


def of_a_variant(push: Push) -> bool:
    return push.sku.startswith("VARIANT")


def is_change(liar: Liar, push: Push) -> bool:
    return push.payload is not None and liar.first[push.sku, push.facet] != push.payload


def bent(push: Push, facet: str, **fields: object) -> Push:
    """The push with other values in one of its facets, wherever the connector may look for them."""

    def bend(listing: Mapping[str, Payload]) -> dict[str, Payload]:
        return {name: payload | fields if name == facet else payload for name, payload in listing.items()}

    listing = bend(push.listing)
    group = {sku: bend(listing) for sku, listing in push.group.items()}
    return replace(push, listing=listing, group=group, payload=push.payload and listing.get(push.facet, push.payload))


def covering_everything(manifest: Manifest) -> Lie:
    """The creating facet alone is sent, and said to have brought the others."""

    def lie(_: Liar, push: Push) -> Push | Outcome:
        if push.facet != manifest.facets[0] or push.payload is None:
            return push
        return Confirmed(covers=tuple(manifest.facets), remote_id=push.sku)

    return lie


HONEST: Lie = lambda _, push: push  # noqa: E731


@pytest.mark.parametrize("manifest", [template, shopify], ids=lambda manifest: manifest.name)
def test_an_honest_connector_in_the_liars_clothes_passes(manifest: Manifest) -> None:
    check_channel(lying(manifest, HONEST))


@pytest.mark.parametrize(
    ("manifest", "lie", "found"),
    [
        (template, without_a_call(of_a_variant), "VARIANT-1 was brought but is not shown"),
        (shopify, without_a_call(lambda push: of_a_variant(push) and push.facet == "price"), "shown with the price"),
        (shopify, without_a_call(lambda push: of_a_variant(push) and push.facet == "stock"), "in stock, and the book"),
        (template, without_a_call(lambda push: push.facet == "stock"), "stock under Faults"),
        (
            template,
            lambda liar, push: told(push) if push.facet == "stock" and is_change(liar, push) else push,
            "with 5 in stock, and the book has 0",
        ),
        (template, covering_everything(template), "was brought but is not shown"),
        (shopify, covering_everything(shopify), "was brought but is not shown"),
        (template, lambda _, push: bent(push, "offer", price="29.99"), "with the price 29.99, and the book has 19.99"),
        (shopify, lambda _, push: bent(push, "price", price="0.00"), "with the price 0.00, and the book has 19.99"),
        (template, lambda _, push: bent(push, "stock", stock=1), "with 1 in stock, and the book has 5"),
        (shopify, lambda _, push: bent(push, "product", title="Product"), "with the title 'Product'"),
        (template, lambda liar, push: told(push) if is_change(liar, push) else push, "its name is 'changed'"),
        (
            shopify,
            lambda liar, push: told(push) if of_a_variant(push) and is_change(liar, push) else push,
            "VARIANT-1 is shown with the price 19.99, and the book has 25.00",
        ),
        (
            shopify,
            lambda liar, push: told(push) if push.sku == "MODEL-1" and is_change(liar, push) else push,
            "MODEL-1 is shown with the title 'name en-US', and its name is 'changed'",
        ),
        (shopify, without_a_call(lambda push: push.payload is None), "removed but still live"),
        (
            template,
            without_a_call(lambda push: push.payload is None and of_a_variant(push)),
            "removed but still live: .*VARIANT",
        ),
    ],
)
def test_a_lie_is_found(manifest: Manifest, lie: Lie, found: str) -> None:
    with pytest.raises(AssertionError, match=found):
        check_channel(lying(manifest, lie))


def test_a_reader_that_tells_of_differences_where_there_are_none_is_found() -> None:
    assert issubclass(ForgetfulReader, ReadsBack)
    with pytest.raises(AssertionError, match="is untouched, but read back as None"):
        check_channel(lying(template, HONEST, ForgetfulReader))


def test_a_connector_whose_lane_is_the_group_is_given_the_whole_group_and_another_one_none_of_it() -> None:
    given: dict[str, set[frozenset[str]]] = {}

    def watching(manifest: Manifest) -> Lie:
        def watch(_: Liar, push: Push) -> Push:
            given.setdefault(manifest.name, set()).add(frozenset(push.group))
            return push

        return watch

    for manifest in (template, shopify):
        check_channel(lying(manifest, watching(manifest)))
    assert given["template"] == {frozenset()}
    assert frozenset({"MODEL-1", "VARIANT-1", "VARIANT-2"}) in given["shopify"]


@pytest.mark.parametrize("field", ["price", "stock", "title"])
def test_a_sandbox_that_does_not_tell_what_buyers_see_is_found(field: str) -> None:
    kind = template.sandbox
    assert isinstance(kind, type)

    class Reticent(kind):  # type: ignore[misc, valid-type]
        def shown(self) -> Mapping[str, Payload]:
            return {sku: {k: v for k, v in item.items() if k != field} for sku, item in super().shown().items()}

    with pytest.raises(AssertionError, match=f"does not tell the {field} of SIMPLE-1"):
        check_channel(replace(template, sandbox=Reticent))
