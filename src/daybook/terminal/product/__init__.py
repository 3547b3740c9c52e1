"""One product: changed, shown, explained."""
