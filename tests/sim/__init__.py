"""Tests of the simulation itself: what it may know, that it repeats, that it sees and shrinks."""
