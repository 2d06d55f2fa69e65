"""Pages that lie are worse than none: docs against the code."""
