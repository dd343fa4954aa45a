"""One question about a network per file: each is an interpreter for `nasengine.space.run`, or reads one."""
