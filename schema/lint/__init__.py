"""Rules about definitions that are valid and still do not do what their authors mean: one function per rule."""
