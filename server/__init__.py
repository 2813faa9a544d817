"""The server: one port over one engine, spoken to by AWS SDKs at ``/`` and by HTTP clients everywhere else."""
