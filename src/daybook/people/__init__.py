"""The vault: what is known of people, so that the log, which is kept for ever, need not name them."""
