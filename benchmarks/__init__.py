"""Figures: each program prints counts and ratios, and says which target it misses."""
