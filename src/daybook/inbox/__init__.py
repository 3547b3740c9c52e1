"""Commands that other systems publish, also while Daybook is down: taken in order for each SKU, each once."""
