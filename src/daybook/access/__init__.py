"""Who may do what, as data and pure functions: permissions, roles, scopes, keys, and the fold of what was granted."""
