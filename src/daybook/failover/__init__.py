"""After a promotion: what the stream has and the log lost is kept and told, and everything follows the log again."""
