"""DeepL to test against: `server` has its routes, `rules` what it makes of a text."""
