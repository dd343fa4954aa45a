"""A run's files kept elsewhere as well: at any URL that fsspec knows, such as s3://bucket/searches."""

from pathlib import Path

from fsspec.core import url_to_fs

from nasengine.errors import NasError


class Storage:
    """What lies in a local folder, kept under a URL too, so that another machine can go on with it.

    Raises NasError for a URL that no installed package knows.
    """

    def __init__(self, url: str, folder: Path):
        self.url, self.folder = f"{url.rstrip('/')}/{folder.name}", folder
        try:
            self.system, self.root = url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise NasError(
                f"files {url}: {error}; a folder or a URL that fsspec knows is allowed; install the package that it "
                "names, such as s3fs for s3://"
            ) from error

    def keep(self, path: Path) -> str:
        """Copy a file to the URL; returns where it is there."""
        there = self._place(path)
        self.system.makedirs(there.rpartition("/")[0], exist_ok=True)
        self.system.put_file(str(path), f"{there}.part")
        self.system.mv(f"{there}.part", there)  # whole or not at all, where the store can rename
        return f"{self.url}/{path.relative_to(self.folder).as_posix()}"

    def fetch(self, path: Path) -> Path:
        """Copy a file from the URL over the local one, where it is there."""
        if self.system.exists(self._place(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f"{path.name}.fetched")
            self.system.get_file(self._place(path), str(partial))
            partial.replace(path)
        return path

    def drop(self, path: Path) -> None:
        """Remove a file at the URL, where it is there."""
        if self.system.exists(self._place(path)):
            self.system.rm_file(self._place(path))

    def _place(self, path: Path) -> str:
        return f"{self.root}/{path.relative_to(self.folder).as_posix()}"


def is_url(files: str | None) -> bool:
    """Whether files go to a URL rather than into a folder."""
    return files is not None and "://" in files


def local_copy(url: str, folder: Path) -> Path:
    """The local copy of a file that a `Storage` of this folder keeps at a URL, fetched where it is missing."""
    base, inside, name = url.partition(f"/{folder.name}/")
    path = folder / name
    return path if not inside or path.exists() else Storage(base, folder).fetch(path)
