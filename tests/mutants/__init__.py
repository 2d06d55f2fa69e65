"""Planted defects: one line of the engine made wrong at a time; the tests must notice each."""
