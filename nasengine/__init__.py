"""nasengine: neural architecture search in one space language, with strategies as single files."""
