"""What the shop makes of pictures that it is told to fetch: copies under names of its own. Nothing is fetched."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from daybook.channel.contract import Payload
from daybook_projections.webshop.sandbox import texts
from daybook_projections.webshop.sandbox.answers import WooError

UPLOADS = "https://shop.example/wp-content/uploads/2026/01"
ENDINGS = frozenset(["jpg", "jpeg", "jpe", "gif", "png", "bmp", "tiff", "tif", "ico", "webp"])
"""`wc_rest_allowed_image_mime_types`. A name without an ending has none of these."""


class Pictures:
    """The shop's uploaded files."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def upload(self, own: int, given: Payload, kind: str) -> Payload:
        """Stores a copy, named by what stands between the last `/` and the first `?` (`wc_rest_upload_image_from_url`).

        The real shop ends the name by what it finds in the file; this one keeps the ending that was given.
        """
        source = str(given.get("src", ""))
        wanted = source.partition("?")[0].rstrip("/").rpartition("/")[2]
        problem = _problem(source, texts.file_name(wanted.replace(" ", "%20")))
        if problem is not None:
            raise WooError(f"woocommerce_{kind}_image_upload_error", problem, 400)
        name = next(each for each in _numbered(texts.file_name(wanted.replace(" ", "%20"))) if each not in self._names)
        self._names.add(name)
        return {
            "id": own,
            "src": f"{UPLOADS}/{name}",
            "name": name,
            "alt": texts.alternative(str(given.get("alt", ""))),
        }


def _problem(source: str, name: str) -> str | None:
    address = urlsplit(source)
    if not source:
        return "Error getting remote image . Error: No URL Provided."
    if address.scheme not in ("http", "https") or not address.netloc:
        return f"Error getting remote image {source}. Error: A valid URL was not provided."
    if name.rpartition(".")[2].lower() not in ENDINGS:
        return "Invalid image: Sorry, you are not allowed to upload this file type."
    return None


def _numbered(name: str) -> Iterator[str]:
    """The name, then with -1, -2 and so on behind it, until one is free."""
    stem, dot, ending = name.rpartition(".")
    yield name
    number = 0
    while True:
        number += 1
        yield f"{stem}-{number}{dot}{ending}"
