"""Addresses of pictures and pages are checked wherever they enter."""

from collections.abc import Iterator

import pytest

from daybook import commands as c
from daybook import events as e
from daybook.commands.book import Command
from daybook.commands.describe import MediaItem
from daybook.errors import InvalidValue
from tests.fixtures.harness import MUG, Harness, harness_on
from tests.fixtures.logs import context


@pytest.fixture
def desk(database: str) -> Iterator[Harness]:
    with harness_on(database) as desk:
        yield desk


def test_every_command_that_names_a_file_refuses_what_no_shop_may_fetch(desk: Harness) -> None:
    desk.do(MUG)
    before = desk.reader.head()
    for url in ("javascript:alert(1)", "file:///etc/passwd", "http://169.254.169.254/", "../../x"):
        commands: list[Command] = [
            c.AddMedia(sku="MUG", media=e.MediaAdded(media_id="a", url=url)),
            c.DescribeProduct(sku="MUG", kind="product", media=(MediaItem(media_id="a", url=url),)),
        ]
        for command in commands:
            with pytest.raises(InvalidValue, match=r"media\.url"):
                desk.book.carry_out(command, context())
    assert desk.reader.head() == before


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///x", "//evil.example", "x", 7])
def test_where_a_channel_finds_pictures_and_pages_is_an_address_of_the_web(desk: Harness, url: object) -> None:
    for key in ("media_base_url", "page_url"):
        with pytest.raises(InvalidValue, match=key):
            desk.do(c.ConfigureChannel(channel=e.ChannelConfigured(name="shop", extra={key: url})))
