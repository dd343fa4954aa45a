"""The two loops of a search: ask and tell, and the gradient loop over gates in a supernet."""
