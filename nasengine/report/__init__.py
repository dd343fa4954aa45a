"""A search's report: one HTML file that needs no network, with what was found, how, and at what cost."""
