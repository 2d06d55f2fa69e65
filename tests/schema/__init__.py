"""Stories about what release authors write: what is refused, where, and in which words."""
