"""What the search needs to know of a product group: all of it."""

from daybook.catalogue.group import fold_group

fold = fold_group
