"""What is taken at most: of everything that a person can send, and of what one part hands to the next.

One line each. What is refused for its size names the thing, the limit, what was given and what to do instead, and
docs/reference/limits.md is made of the same lines. A limit keeps one product, or one definition, from holding up all
others; it lies far above what real catalogues hold.

An event travels as one NATS message. Servers take 1 MiB a message unless told otherwise, with headers, so an event that
fits into `EVENT_BYTES_MAX` reaches every server that was left as it comes.
"""

import msgspec

EVENT_BYTES_MAX = 900_000
"""Of an event's own body. What is around it (SKU, actor, reason, ids) is bounded where it comes in, and is small."""
MESSAGE_BYTES_MAX = 1_000_000
"""Of the message that carries it, with its headers: what a NATS server must take."""
PAGE_BYTES_MAX = 16 * 1024 * 1024
"""Of the events that one part takes at once from the log or the stream, but for one event more.

Two pulls of so much may be under way: the server drops a reader for which 64 MB wait."""
PART_BYTES_MAX = 400_000
"""Of what a long list is cut into when one event can't hold it."""

REASONS_MAX = 100
"""Of one refusal. What a channel says beyond is counted, and not kept; its texts are cut."""
REASON_LENGTH_MAX = 2_000
REASON_CODE_LENGTH_MAX = 200
"""Of a reason's code, and of the field that it is about."""
REMOTE_ID_LENGTH_MAX = 2_000
FINDINGS_MAX = 100
"""Of one outcome of a work."""


class Limit(msgspec.Struct, frozen=True):
    """The most that is taken of something."""

    of: str
    """In the plural, or what is measured: `stock locations of a product`, `a reason`."""
    most: int
    instead: str
    """What to do when more is needed."""
    unit: str = ""
    """`characters` or `bytes`; empty for what is counted."""

    def excess(self, given: int) -> str | None:
        """Why this much is refused; None when it is taken."""
        if given <= self.most:
            return None
        if self.unit:
            return f"{self.of} has {given:,} {self.unit}; at most {self.most:,} are taken. {self.instead}"
        return f"{given:,} {self.of}; at most {self.most:,} are taken. {self.instead}"


SHORTEN = "Shorten it"
SPLIT = "Split it into several"

SKU = Limit("a SKU", 64, "Choose a shorter one, and keep the long one as an attribute", "characters")
GTIN = Limit("a GTIN", 50, "A GTIN has at most 14 digits; keep other numbers as an attribute", "characters")
TEXT = Limit("an attribute's text", 100_000, "Shorten it, or link to a document", "characters")
OPTION_CODE = Limit("the code of an option, or a unit", 1_000, SHORTEN, "characters")
LABEL = Limit("a label", 1_000, SHORTEN, "characters")
PATTERN = Limit("an attribute's pattern", 1_000, "Write a simpler one", "characters")
ADDRESS = Limit("the address or id of a media item", 2_000, "Host it under a shorter address", "characters")
SETTING = Limit("a channel's setting", 2_000, SHORTEN, "characters")
NAME = Limit("an actor, a command id, a correlation id, a source", 200, SHORTEN, "characters")
REASON = Limit("a reason", 1_000, SHORTEN, "characters")
FILTER = Limit("a name to look for", 200, SHORTEN, "characters")

VALUES = Limit("attribute values of a product", 10_000, "Values that products share belong to their model")
CHOICES = Limit("options chosen in one value", 1_000, "Use several attributes")
PRICES = Limit("prices of a product, over all lists and currencies", 2_000, "Use fewer price lists")
PRODUCT_CATEGORIES = Limit("categories of a product", 1_000, "A category's ancestors need not be named")
MEDIA = Limit("media items of a product", 1_000, "Pictures that variants share belong to their model")
LOCATIONS = Limit("stock locations of a product", 2_000, "Sum up the places that sell together")
AXES = Limit("axes of a model", 10, "What makes no variant is a plain attribute")
VARIANTS = Limit("products in one group, the model included", 5_000, "Make several models of it")
LEVELS = Limit("levels of models above a product", 5, "Make the tree flatter")

ATTRIBUTES = Limit("attributes", 10_000, "Use one attribute for what means the same")
OPTIONS = Limit("options of an attribute", 50_000, "What differs from product to product is a text")
FAMILIES = Limit("families", 10_000, "Use one family for what has the same attributes")
FAMILY_ATTRIBUTES = Limit("attributes of a family, and that one scope requires", 2_000, SPLIT)
SCOPES = Limit("channel scopes for which a family requires something", 100, "Use one scope for channels that agree")
CATEGORIES = Limit("categories", 100_000, "Use an attribute for what is no tree")
DEPTH = Limit("levels of a category tree", 50, "Make the tree flatter")
LABELS = Limit("labels of one thing, one for each locale", 200, "Keep the locales that are sold in")
CHANNELS = Limit("channels", 1_000, "Remove those that are not used")
CHANNEL_LOCALES = Limit("locales of a channel", 50, "Name those that it shows")
SETTINGS = Limit("settings of a channel", 50, "Keep what its connector asks for")
USERS = Limit("users", 10_000, "Give one service one user")
GRANTS = Limit("grants of a user", 100, "Name several things in the scope of one grant")
SCOPE_NAMES = Limit("names in a part of a scope", 1_000, "Name a category above them, or leave the part out")
KEYS = Limit("keys of a user that were not revoked", 100, "Revoke those that are not used")
IDENTITIES = Limit("identities of a user", 20, "Untie those that are not used")
ISSUER = Limit("an issuer", 500, "An issuer is an address", "characters")
SUBJECT = Limit("what an issuer calls somebody", 255, "OpenID Connect allows no more", "characters")
KEY_LABEL = Limit("what a key is for", 200, SHORTEN, "characters")
EXTRA = Limit("`extra` of a channel", 256_000, "Keep mappings to what this channel needs", "bytes")

PERSON_NAME = Limit("a person's name", 200, SHORTEN, "characters")
PERSON_MAIL = Limit("a person's mail address", 320, "No mail server takes a longer one", "characters")
PERSON_PHONE = Limit("a person's phone number", 50, SHORTEN, "characters")
ADDRESS_LINES = Limit("lines of a person's address", 6, "Put two of them into one")
ADDRESS_LINE = Limit("a line of a person's address", 200, SHORTEN, "characters")
PEOPLE = Limit("people asked for at once", 1_000, "Ask several times")

ORDER_NUMBER = Limit("the number of an order", 64, "Give the channel's own id of the order", "characters")
ORDER_LINES = Limit("lines of an order", 1_000, "Place several orders")
LINE_NAME = Limit("the name of an order's line", 64, SHORTEN, "characters")
PARCELS = Limit("parcels, or returns, of an order", 500, "Tell several of them as one")
PAYMENTS = Limit("payments, or refunds, of an order", 500, "Tell several of them as one")
ORDER_TEXT = Limit("a parcel, carrier, tracking number or reference", 200, SHORTEN, "characters")

HEARD = Limit("what a channel says of one order", 1024 * 1024, "Have the channel leave out what is not needed", "bytes")
INBOX_MESSAGE = Limit("a message of the inbox", 900_000, "Send several commands", "bytes")
BODY = Limit("the body of a request", 8 * 1024 * 1024, "Send less at once, or use an import", "bytes")
PARAMETER = Limit("a parameter, or a part of an address", 2_000, SHORTEN, "characters")
NAMED = Limit("names in one request", 1_000, "Send them in several requests")
PAGE = Limit("product groups of one page", 200, "Go on with the `next` of the page")
ROWS = Limit("entries of one page", 1_000, "Go on with the `next` of the page")
UNDONE = Limit("events to undo", 300_000, "Undo a shorter while at a time")
UNDONE_BY_REQUEST = Limit("events to undo by one request", 5_000, "Use `daybook undo`, or a shorter while")
FIND_WORDS = Limit("words to look for", 20, "Look for the rarer ones")
FIND_TERMS = Limit("terms to look for", 50, "Name fewer")
FOUND_COUNTED = Limit("products that an answer counts", 10_000, "It says that there are more; ask for less")
EDITED = Limit("products to edit", 200_000, "Name more terms, and edit a part at a time")
EDITED_BY_REQUEST = Limit("products to edit by one request", 2_000, "Use `daybook edit`, or edit a part at a time")
EDIT_SETTINGS = Limit("fields to set", 50, "Edit in several steps")
CELL = Limit("a cell, or what is set", 200_000, SHORTEN, "characters")
