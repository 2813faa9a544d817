"""What distributed Maps read their items from, and where their results go."""
