"""Comparison of trained searches: groups of seeds, curves at equal cost, test figures, significance, side by side."""
