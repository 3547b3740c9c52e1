"""A small WooCommerce shop to test against: `server` answers HTTP, `shop` keeps what there is, the others its rules.

Written from WooCommerce 11.0.1 and WordPress 6.9: the REST controllers (`wc/v3`), the data stores, `formatting.php` and
`kses.php`.
"""
