"""What the payload looks like at every state, inferred from the definition alone; what is not known stays unknown."""
