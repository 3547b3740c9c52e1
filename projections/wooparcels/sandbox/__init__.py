"""A WooCommerce shop's orders to test against: `server` is all of it."""
