"""Tests of the questions asked before and after a batch."""
