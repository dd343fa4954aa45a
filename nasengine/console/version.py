"""Which nasengine this is."""


def version() -> str:
    """The version that is installed; words where it runs from its source."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed  # loads sockets and e-mail, which no help needs

    try:
        return installed("nasengine")
    except PackageNotFoundError:
        return "not installed, run from its source"
