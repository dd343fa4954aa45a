"""Ways for a found network to leave, each with a check that it still computes the same."""
