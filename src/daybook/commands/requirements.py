"""What a command needs: the permissions, and what each is about. Declared here for every way in."""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from daybook.commands import access, catalogue, channels, orders, products, stock, texts
from daybook.commands.describe import DescribeProduct
from daybook.commands.schedules import MoveSchedule, PlanChange, WithdrawSchedule
from daybook.errors import Forbidden
from daybook.orders.state import channel_of


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """One permission about one thing. A command that has several must be allowed each of them."""

    permission: str
    sku: str | None = None
    """The product whose categories and channels count."""
    parent: str | None = None
    """Of a new product: its model's count."""
    categories: tuple[str, ...] = ()
    """Of a new product without a model: these count."""
    category: str | None = None
    """This one counts, and no product's."""
    channel: str | None = None
    price_list: str | None = None
    location: str | None = None

    def asked(self) -> dict[str, str]:
        """What it names, for whoever reads of a refusal."""
        named = {name: getattr(self, name) for name in ("sku", "category", "channel", "price_list", "location")}
        return {name: value for name, value in named.items() if value is not None}


_PRODUCT: dict[type, str] = {
    products.SetAttributes: "product.change",
    products.AssignGtin: "product.change",
    products.CategoriseProduct: "product.change",
    products.AddMedia: "product.change",
    products.RemoveMedia: "product.change",
    texts.ApproveText: "product.change",
    texts.RejectText: "product.change",
    texts.RetryText: "product.change",
    products.ChangePrice: "price.change",
    products.RemovePrice: "price.change",
    products.ListProduct: "listing.change",
    products.DelistProduct: "listing.change",
    products.DiscontinueProduct: "product.discontinue",
    products.ReinstateProduct: "product.discontinue",
    stock.CountStock: "stock.count",
    stock.ReceiveStock: "stock.receive",
    stock.AdjustStock: "stock.adjust",
    stock.SetSafetyStock: "stock.adjust",
}
_ORDER: dict[type, str] = {
    orders.PayOrder: "order.pay",
    orders.RefundOrder: "order.refund",
    orders.CancelOrder: "order.cancel",
    orders.ShipOrder: "order.ship",
    orders.ReturnOrder: "order.return",
}
_CHANNEL: dict[type, str] = {channels.RemoveChannel: "channel.remove"}
_PLAIN: dict[type, str] = {
    catalogue.DefineAttribute: "definition.change",
    catalogue.DefineFamily: "definition.change",
    catalogue.DefineCategory: "definition.change",
    channels.AddChannel: "channel.add",
    access.AddUser: "user.add",
    access.LockUser: "user.lock",
    access.UnlockUser: "user.lock",
    access.LinkIdentity: "user.link",
    access.UnlinkIdentity: "user.link",
    access.GrantAccess: "access.grant",
    access.WithdrawAccess: "access.grant",
    access.MakeKey: "key.make",
    access.RotateKey: "key.make",
    access.RevokeKey: "key.make",
}


def required(command: object) -> tuple[Requirement, ...]:
    """What the command needs. Raises Forbidden for one that declares nothing: what is not allowed is refused."""
    kind = type(command)
    if isinstance(command, DescribeProduct):
        return tuple(_described(command))
    if isinstance(command, PlanChange | MoveSchedule | WithdrawSchedule):
        return required(command.change)  # who may do it may say when
    if isinstance(command, catalogue.DefinePart):
        return required(command.definition)
    if isinstance(command, products.CreateProduct):
        return (Requirement(permission="product.create", sku=command.sku, parent=command.parent),)
    if isinstance(command, catalogue.ConfigureChannel):
        return (Requirement(permission="channel.configure", channel=command.channel.name),)
    if kind in _PRODUCT:
        return (_about_product(_PRODUCT[kind], command), *_into(getattr(command, "categories", None) or ()))
    if isinstance(command, orders.PlaceOrder):
        return (Requirement(permission="order.place", channel=command.channel),)
    if kind in _ORDER:
        return (Requirement(permission=_ORDER[kind], channel=channel_of(command.order)),)  # type: ignore[attr-defined]
    if kind in _CHANNEL:
        return (Requirement(permission=_CHANNEL[kind], channel=command.name),)  # type: ignore[attr-defined]
    if isinstance(command, access.AddUser) and command.role is not None:
        return (Requirement(permission="user.add"), Requirement(permission="access.grant"))
    if isinstance(command, access.MakeKey | access.LinkIdentity) and command.first is not None:
        return (Requirement(permission=_PLAIN[kind]), *required(command.first))
    if kind in _PLAIN:
        return (Requirement(permission=_PLAIN[kind]),)
    raise Forbidden(f"{kind.__name__} declares no permission: it is refused to everybody", permission=kind.__name__)


def _about_product(permission: str, command: object) -> Requirement:
    return Requirement(
        permission=permission,
        sku=getattr(command, "sku", None),
        channel=getattr(command, "channel", None),
        price_list=getattr(command, "price_list", None),
        location=getattr(command, "location", None),
    )


def _into(categories: tuple[str, ...]) -> Iterator[Requirement]:
    """A product is put only where one may change products: else it could be moved out of another's scope."""
    for one in categories:
        yield Requirement(permission="product.change", category=one)


def _described(wish: DescribeProduct) -> Iterator[Requirement]:
    about = Requirement(
        permission="product.change",
        sku=wish.sku,
        parent=wish.parent or None,
        categories=tuple(wish.categories or ()),
    )
    if wish.says_new:
        yield replace(about, permission="product.create")
    others = {"sku", "exact", "discontinued", "prices", "stock", "channels"}
    said = {field for field in wish.__struct_fields__ if getattr(wish, field) is not UNSET} - {"sku"}
    if said - others or wish.exact is True or not said:
        yield about
    yield from _into(about.categories)
    if "discontinued" in said:
        yield replace(about, permission="product.discontinue")
    named = {
        "prices": ("price.change", "price_list", {one.price_list for one in wish.prices or ()}),
        "stock": ("stock.count", "location", set(wish.stock or ())),
        "channels": ("listing.change", "channel", set(wish.channels or ())),
    }
    for field, (permission, dimension, names) in named.items():
        if field not in said:
            continue
        if not names or wish.exact is True:
            # Null, and an exact description, remove what they do not name, in whichever list, location or channel.
            yield replace(about, permission=permission)
        for name in sorted(names):
            yield replace(about, permission=permission, **{dimension: name})
