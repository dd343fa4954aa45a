"""Formats that a network can leave in, one file each: a new file is a new format (see nasengine.exporters.format)."""
