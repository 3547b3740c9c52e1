"""What has happened to the products of Amazon's tests."""

from daybook.channel.testing import History
from daybook.events import AttributeDefined, AttributeOption, ChannelConfigured


def suitcase() -> History:
    return History().product(
        "SUITCASE",
        family="luggage",
        gtin="8717418510749",
        attributes={
            "name@nl-NL": "Handbagagekoffer Basic",
            "description@nl-NL": "<p>Licht &amp; <b>sterk</b>.</p><p>Past in elk vliegtuig.</p>",
            "brand": "Acme",
        },
        price=("default", "79.95", "EUR"),
        stock={"main": 12},
        media=("files/local.jpg", "https://img.example/1.jpg", "https://img.example/2.jpg"),
        listed=("amazon",),
    )


def shirts() -> History:
    """A model in two colours, and in sizes below each colour."""
    colours = tuple(
        AttributeOption(code, {"nl-NL": label}) for code, label in (("navy", "Marineblauw"), ("red", "Rood"))
    )
    history = History().happened(
        AttributeDefined(code="color", type="select", options=colours),
        ChannelConfigured(
            name="amazon",
            locales=("nl-NL", "en-GB"),
            extra={"product_types": {"clothing": "SHIRT"}, "axes": {"maat": "size"}},
        ),
    )
    history.product(
        "SHIRT",
        family="clothing",
        axes=("color",),
        attributes={"name@nl-NL": "Overhemd", "name@en-GB": "Shirt", "description@en-GB": "Cotton", "brand": "Acme"},
        price=("default", "29.95", "EUR"),
        media=("https://img.example/shirt.jpg",),
        listed=("amazon",),
    )
    history.product("SHIRT-NAVY", parent="SHIRT", kind="model", axes=("maat",), attributes={"color": "navy"})
    history.product("SHIRT-RED", parent="SHIRT", kind="model", axes=("maat",), attributes={"color": "red"})
    history.product(
        "SHIRT-NAVY-M", parent="SHIRT-NAVY", attributes={"maat": "M"}, gtin="4006381333931", stock={"main": 3}
    )
    history.product(
        "SHIRT-RED-XL",
        parent="SHIRT-RED",
        attributes={"maat": "XL", "name@nl-NL": "Overhemd, rood, extra groot"},
        gtin="036000291452",
        price=("default", "34.95", "EUR"),
        media=("https://img.example/red.jpg",),
    )
    return history
