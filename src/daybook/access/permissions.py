"""The permissions that there are, what each may be narrowed down by, and the roles that hold them."""

from collections.abc import Mapping

import msgspec

from daybook.errors import InvalidValue

CHANNEL, CATEGORY, PRICE_LIST, LOCATION = DIMENSIONS = ("channels", "categories", "price_lists", "locations")
"""What a grant can be narrowed down by: the fields of `AccessScope`."""


class Permission(msgspec.Struct, frozen=True):
    """A verb on a noun. A grant that is narrowed down by something that it does not know does not give it."""

    allows: str
    """For a person, after "may"."""
    within: tuple[str, ...] = ()
    common: bool = False
    """Every grant of a role that holds it gives it, however it is narrowed down: it is about nothing in particular."""


_PRODUCT = (CATEGORY, CHANNEL)

PERMISSIONS: dict[str, Permission] = {
    "self.read": Permission("see its own user, grants and keys", common=True),
    "definition.read": Permission("see attributes, families, categories and its channels' settings", common=True),
    "definition.change": Permission("define attributes, families and categories"),
    "product.read": Permission("see products, their past and their history", _PRODUCT),
    "product.create": Permission("create products", (CATEGORY,)),
    "product.change": Permission("change values, GTIN, categories and media", (CATEGORY,)),
    "product.discontinue": Permission("discontinue and reinstate products", (CATEGORY,)),
    "price.change": Permission("change and remove prices", (CATEGORY, PRICE_LIST)),
    "stock.count": Permission("count stock", (CATEGORY, LOCATION)),
    "stock.receive": Permission("receive stock", (CATEGORY, LOCATION)),
    "stock.adjust": Permission("adjust stock", (CATEGORY, LOCATION)),
    "order.read": Permission("see orders", (CHANNEL,)),
    "order.place": Permission("place orders", (CHANNEL,)),
    "order.pay": Permission("record payments of orders", (CHANNEL,)),
    "order.cancel": Permission("cancel orders, and parts of them", (CHANNEL,)),
    "order.ship": Permission("record parcels that left", (CHANNEL,)),
    "order.return": Permission("record what came back", (CHANNEL,)),
    "order.refund": Permission("record refunds", (CHANNEL,)),
    "listing.read": Permission("see what a channel should show of a product", _PRODUCT),
    "listing.change": Permission("sell products on a channel, or not", _PRODUCT),
    "channel.read": Permission("see how a channel is doing and what it refused", (CHANNEL,)),
    "channel.add": Permission("add channels"),
    "channel.configure": Permission("say how a channel reads the catalogue", (CHANNEL,)),
    "channel.remove": Permission("remove a channel", (CHANNEL,)),
    "channel.pause": Permission("pause and resume a channel", (CHANNEL,)),
    "channel.retry": Permission("try again what a channel refused, and leave out what can't be folded", (CHANNEL,)),
    "channel.resync": Permission("send again what a channel confirmed", (CHANNEL,)),
    "channel.rebuild": Permission("rebuild a channel, switch it and take it back", (CHANNEL,)),
    "policy.read": Permission("see how policies are doing and what they would append"),
    "policy.operate": Permission("pause and resume policies, and try again what they could not fold"),
    "inbox.read": Permission("see what other systems sent and the book refused"),
    "inbox.operate": Permission("take what was refused of them after all, and leave it out"),
    "status.read": Permission("see what waits", (CHANNEL,)),
    "catalogue.import": Permission("import catalogues"),
    "catalogue.export": Permission("export the catalogue"),
    "log.read": Permission("read the whole log"),
    "log.verify": Permission("verify the log"),
    "stream.reset": Permission("reset the stream"),
    "user.read": Permission("see users"),
    "user.add": Permission("add users"),
    "user.lock": Permission("lock users out, and let them in again"),
    "user.link": Permission("tie users to identities of a provider, and untie them"),
    "session.read": Permission("see who is logged in"),
    "session.end": Permission("end others' sessions"),
    "access.read": Permission("see who may do what, who could, and who was refused"),
    "access.grant": Permission("grant access and withdraw it"),
    "key.read": Permission("see keys, never their secrets"),
    "key.make": Permission("make, rotate and revoke keys"),
    "person.add": Permission("write down what is known of people"),
    "person.change": Permission("change what is known of a person"),
    "person.read": Permission("be shown, and export, what is known of a person"),
    "person.erase": Permission("erase a person for good"),
    "act.for-others": Permission("name another as the actor", common=True),
    "process.run": Permission("run Daybook on its machine"),
    "setting.read": Permission("see the settings in force"),
}

_SEES = frozenset(
    {"self.read", "definition.read", "product.read", "listing.read", "channel.read", "policy.read", "status.read"}
)
_EDITS = frozenset({"product.create", "product.change", "product.discontinue"})
_STOCK = frozenset({"stock.count", "stock.receive", "stock.adjust"})
_ORDERS = frozenset(
    {"order.read", "order.place", "order.pay", "order.cancel", "order.ship", "order.return", "order.refund"}
)

ROLES: dict[str, frozenset[str]] = {
    "owner": frozenset(PERMISSIONS),
    "editor": _SEES
    | _EDITS
    | {"inbox.read", "inbox.operate", "definition.change", "catalogue.import", "catalogue.export"},
    "merchandiser": _SEES | {"price.change", "policy.operate", "listing.change", "catalogue.export"},
    "channel-owner": _SEES
    | {"listing.change", "channel.configure", "channel.pause", "channel.retry", "channel.resync", "channel.rebuild"},
    "warehouse": frozenset({"self.read", "definition.read", "product.read"})
    | _STOCK
    | {"order.read", "order.ship", "order.return"},
    "sales": _SEES | _ORDERS,
    "service": _SEES | _EDITS | _STOCK | _ORDERS | {"price.change", "listing.change", "act.for-others"},
    "auditor": _SEES
    | {
        "order.read",
        "inbox.read",
        "log.read",
        "log.verify",
        "access.read",
        "user.read",
        "key.read",
        "session.read",
        "catalogue.export",
    },
    "reader": _SEES,
}
"""Role -> its permissions. What is granted is the role, so a grant follows when a later Daybook adds to it."""


def check_role(role: str) -> str:
    """The role. Raises InvalidValue for one that there is not."""
    if role not in ROLES:
        raise InvalidValue("role", f"must be one of {', '.join(ROLES)}", role)
    return role


def check_permission(name: str) -> str:
    """The permission. Raises InvalidValue for one that there is not."""
    if name not in PERMISSIONS:
        raise InvalidValue("permission", f"must be one of {', '.join(PERMISSIONS)}", name)
    return name


def roles_with(name: str) -> tuple[str, ...]:
    """The roles that hold a permission."""
    return tuple(role for role, held in ROLES.items() if name in held)


def described() -> Mapping[str, str]:
    """Permission -> what it allows, for a person."""
    return {name: one.allows for name, one in PERMISSIONS.items()}
