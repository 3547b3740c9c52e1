"""What a channel's connection needs is declared in its manifest, and what is missing is told by name, all at once."""

import pytest

from daybook.channel.contract import Manifest
from daybook.channel.registry import installed
from daybook.errors import BadConfiguration
from daybook_projections.shopify import manifest as shopify
from daybook_projections.template import manifest as template

CHANNELS = [one for one in [*installed().all(), template] if one.connector is not None]


@pytest.mark.parametrize("manifest", CHANNELS, ids=lambda one: one.name)
def test_each_setting_that_is_missing_is_named_with_its_variable(manifest: Manifest) -> None:
    needed = [one.key for one in manifest.settings if not one.optional]
    assert needed
    for key in needed:
        given = {one: "https://example.com" for one in needed if one != key}
        assert manifest.lacks(given) == (key,)
        with pytest.raises(BadConfiguration, match=f"set DAYBOOK_CHANNEL_{manifest.name.upper()}_{key.upper()}$"):
            manifest.connect(given)


def test_all_that_is_missing_is_named_at_once() -> None:
    with pytest.raises(BadConfiguration, match="has no url, key: set DAYBOOK_CHANNEL_TEMPLATE_URL, DAYBOOK"):
        template.connect({})


def test_an_empty_setting_is_missing() -> None:
    assert template.lacks({"url": "", "key": "k"}) == ("url",)


def test_one_setting_may_make_others_needless() -> None:
    assert shopify.lacks({"access_token": "t"}) == ("url", "location_id", "publication_id")
