"""The projections that ship with Daybook, one folder each. See docs/how-to/write-a-channel.md."""
