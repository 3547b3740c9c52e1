"""Texts that machines drafted: which are needed, where each stands, and what people may say of them. Pure."""
