"""Releases before they happen."""
