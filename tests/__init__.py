"""Stories, properties, contracts, and the shape of the code. Never part of what is installed."""
