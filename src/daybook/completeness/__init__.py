"""Questions about drafts of texts, and about what products lack: answered by the read model `completeness`."""
