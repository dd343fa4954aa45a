"""Comparison of strategies on a table of published results: many seeds, equal budgets, honest statistics."""
