"""The channels: how they do, and what a person does about it."""
