"""Where a picture may be: what is no file that a shop may fetch, or a browser follow, is refused."""

import pytest

from daybook.commands.media_address import check_address
from daybook.errors import InvalidValue

TAKEN = (
    *("https://cdn.example/a.jpg", "http://cdn.example/a b/ü.jpg?size=1&x=../y", "HTTPS://CDN.EXAMPLE/A.JPG"),
    *("1/2/3/abc_picture.jpg", "a.jpg", "files/back side.png", "/a/b.jpg", "12:30.jpg", "a..b/c...jpg"),
    *("https://10.0.0.5/a.jpg", "https://cdn.example:8443/a", "https://[2a00:1450::1]/a.jpg"),
)
REFUSED = (
    *(
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "ftp://a/b.jpg",
    ),
    *("java\tscript:alert(1)", "https://a.example/\r\nx.jpg", "vbscript:x", "blob:https://a.example/1", "C:\\x.jpg"),
    *("//evil.example/a.jpg", "\\\\host\\share\\a.jpg", "../../etc/passwd", "a/../../b.jpg", "a/%2e%2E/b.jpg", "a/./b"),
    *("a\\..\\b.jpg", "https://cdn.example/../a.jpg", "https://cdn.example/%2e%2e/a.jpg"),
    *("http://169.254.169.254/latest/meta-data", "http://[fd00:ec2::254]/", "http://127.0.0.1/a.jpg", "http://127.1/a"),
    *("http://2130706433/a", "http://0x7f.0.0.1/a", "http://localhost/a", "http://a.localhost/a", "http://0.0.0.0/a"),
    *("http://[::1]/a", "http://[::ffff:169.254.169.254]/a", "http://100.100.100.200/", "https://", "https:///a.jpg"),
    *("https://ada:s3cret@cdn.example/a.jpg", "https://[bad/a.jpg", "https://cdn.example:99999/a.jpg"),
)


@pytest.mark.parametrize("url", TAKEN)
def test_an_address_of_the_web_and_a_path_below_the_channels_own_are_taken(url: str) -> None:
    assert check_address(url, "media.url") == url


@pytest.mark.parametrize("url", REFUSED)
def test_what_no_shop_may_fetch_nor_browser_follow_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue, match=r"media\.url") as caught:
        check_address(url, "media.url")
    assert "s3cret" not in str(caught.value) + str(caught.value.details)
