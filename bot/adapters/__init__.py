"""One file or folder for each outside thing. They know neither each other nor the tick."""
