"""The catalogue's model: attributes, families, categories, channel settings; folded into the reference state."""
