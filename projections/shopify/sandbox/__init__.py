"""A small Shopify: `server` answers HTTP, `shop` keeps what there is, `rules` refuses, `bulk` runs files of changes."""
