"""Fitting a row to the product that the book holds: what the file does not know stays, what can't change is told."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from daybook.commands import DescribeProduct
from daybook.errors import NotFound
from daybook.importing.rows import Flag, Row
from daybook.product.state import Product, slot


def needs_look(row: Row) -> bool:
    """Whether what the row says depends on what the book holds."""
    return row.derived is not None or bool(row.if_new) or not row.may_create or row.known_categories is not None


def fitted(row: Row, product: Product | None) -> tuple[DescribeProduct, tuple[Flag, ...]]:
    """The row's description of this product, and what of it can't be carried out because it is fixed.

    Raises NotFound when the book has no such product and the file says too little of it to create one.
    """
    if row.derived is not None:
        return row.derived(product)
    record = _without_idle_nulls(row, product)
    if product is None and not row.may_create:
        raise NotFound(
            f"there is no product {record.sku}, and {row.only_updates}: check the SKU",
            sku=record.sku,
        )
    if product is None:
        return replace(record, **row.if_new), ()
    if row.known_categories is not None and not isinstance(record.categories, msgspec.UnsetType):
        kept = _with_unknown(record.categories or (), product.categories, row.known_categories)
        record = replace(record, categories=kept)
    fixed = record.fixed_otherwise(product)
    if not fixed:
        return record, ()
    flag = Flag(_field(fixed), _value(record, fixed), _reason(record, product, fixed))
    return replace(record, **dict.fromkeys(fixed, UNSET)), (flag,)


def _without_idle_nulls(row: Row, product: Product | None) -> DescribeProduct:
    """Wide files have hundreds of empty cells a row. Those that would remove nothing are not worth a look."""
    record = row.record
    assert isinstance(record, DescribeProduct)
    there = product.attributes if product is not None else {}
    said = record.attributes or ()
    real = tuple(one for one in said if one.value is not None or slot(one.attribute, one.locale, one.channel) in there)
    return record if len(real) == len(said) else replace(record, attributes=real)


def _with_unknown(said: Sequence[str], there: Sequence[str], known: frozenset[str]) -> tuple[str, ...]:
    """What the file says, and the product's categories that the file knows nothing of."""
    said = tuple(dict.fromkeys(said))
    if said == tuple(code for code in there if code in known):
        return tuple(there)
    return (*said, *(code for code in there if code not in known))


def _field(fixed: Sequence[str]) -> str:
    return next(field for field in ("parent", "family", "axes", "kind") if field in fixed)


def _value(record: DescribeProduct, fixed: Sequence[str]) -> str:
    said = getattr(record, _field(fixed))
    return ", ".join(said) if isinstance(said, tuple) else str(said or "")


def _reason(record: DescribeProduct, product: Product, fixed: Sequence[str]) -> str:
    stays, wish = [], []
    if "parent" in fixed or "kind" in fixed:
        stays.append(f"a variant of {product.parent}" if product.parent else f"a {product.kind} without a parent")
        wish.append(f"a variant of {record.parent}" if record.parent else f"a {record.kind or product.kind} of its own")
    if "family" in fixed:
        stays.append(f"in the family {product.family}" if product.family else "without a family")
        wish.append(f"in the family {record.family}" if record.family else "without a family")
    if "axes" in fixed:
        stays.append(f"varying by {', '.join(product.axes) or 'nothing'}")
        wish.append(f"varying by {', '.join(record.axes or ()) or 'nothing'}")
    return (
        f"stays {' and '.join(stays)}, which is fixed when a product is created; the rest of the row was taken. To "
        f"have it {' and '.join(wish)}, give it another SKU in the file, import that, and end this one: "
        f"daybook product discontinue {product.sku}"
    )
