"""The log: its newest events, its size, its proof."""
