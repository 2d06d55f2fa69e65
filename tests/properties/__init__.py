"""Properties of the rules: what holds in every situation, whoever does what."""
