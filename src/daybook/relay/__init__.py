"""The relay: log -> stream, nothing else."""
