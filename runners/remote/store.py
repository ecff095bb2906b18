"""A place that fsspec reaches by URL: what it holds, and how files get there whole."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from suite.errors import SuiteError
from suite.privacy import HIDDEN, credentials, without_credentials

EXTRA = "Install it: pip install '.[remote]'."
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs"}
"""What reaches a protocol, where fsspec does not say it in a word."""
FORBIDDEN = ("Credential", "Forbidden", "Refresh", "Unauthorized", "AccessDenied", "403", "401")
"""In the names of errors, or at the beginning of what they say, by which stores refuse."""
TAGS = (
    *("ETag", "etag", "md5Hash", "generation", "content_md5", "ino", "mtime"),
    *("created", "LastModified", "last_modified", "modified"),
)
"""What stores know of a file that differs once it was replaced, the surest first."""


class Store:
    """A folder of a store; names within it are relative, with slashes.

    Args:
        url: of the folder, for fsspec.

    Raises:
        SuiteError: nothing installed here reaches such a URL. All methods raise it likewise: there
            is no such bucket, it may not be read or written, or nobody answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.shown = without_credentials(url)
        fsspec = self._imported()
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise self._lacks(str(error)) from error
        except Exception as error:
            raise self._refused(error) from error
        self._root = str(root).rstrip("/")
        # An object appears whole; a file of a folder does once it is renamed.
        from fsspec.spec import AbstractFileSystem  # noqa: PLC0415 - of an extra

        self._renames = type(self._fs).mv is not AbstractFileSystem.mv

    def _imported(self) -> Any:
        try:
            import fsspec  # noqa: PLC0415 - of an extra
        except ImportError as error:
            raise SuiteError(
                f"an --out that is a URL needs fsspec, which cannot be imported ({error})",
                where=self.shown,
                remedy=EXTRA,
            ) from error
        return fsspec

    def files(self) -> dict[str, str]:
        """Name of every file -> what tells its content from the one before."""
        with self._told():
            self._fs.invalidate_cache()
            found = self._fs.find(self._root, detail=True)
        return {
            path[len(self._root) :].lstrip("/"): _tag(info)
            for path, info in found.items()
            if path.startswith(f"{self._root}/")
        }

    def tags(self, names: Sequence[str]) -> dict[str, str]:
        """The same of some files alone; those that are not there are left out."""
        found = {}
        with self._told():
            self._fs.invalidate_cache()
            for name in names:
                with suppress(FileNotFoundError):
                    found[name] = _tag(self._fs.info(self._at(name)))
        return found

    def fetch(self, names: Sequence[str], folder: Path) -> None:
        """Fetches files into a folder, each whole or not at all."""
        ending = f".{os.getpid()}"
        beside = [str((folder / n).with_name(f".{Path(n).name}{ending}")) for n in names]
        with self._told():
            for path in beside:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
            if names:
                self._fs.get([self._at(name) for name in names], beside)
            for name, path in zip(names, beside, strict=True):
                Path(path).replace(folder / name)

    def send(self, files: Mapping[str, Path]) -> None:
        """Sends files, each whole or not at all.

        Args:
            files: name -> where its content lies; a file that is there no more is left out.
        """
        there = {name: path for name, path in files.items() if path.exists()}
        with self._told():
            if not self._renames:
                if there:
                    self._fs.put([str(path) for path in there.values()], list(map(self._at, there)))
                return
            for name, path in there.items():
                self._put_and_rename(name, path)

    def _put_and_rename(self, name: str, path: Path) -> None:
        target = PurePosixPath(self._at(name))
        beside = str(target.with_name(f".{target.name}.{secrets.token_hex(4)}"))
        self._fs.makedirs(str(target.parent), exist_ok=True)
        try:
            self._fs.put_file(str(path), beside)
            self._fs.mv(beside, str(target))
        except BaseException:
            with suppress(Exception):
                self._fs.rm_file(beside)
            raise

    def delete(self, names: Sequence[str]) -> None:
        """Deletes files; one that is not there is no mistake."""
        with self._told():
            for name in names:
                with suppress(FileNotFoundError):
                    self._fs.rm_file(self._at(name))

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None where there is none."""
        with self._told():
            self._fs.invalidate_cache()
            try:
                content: bytes = self._fs.cat_file(self._at(name))
            except FileNotFoundError:
                return None
            return content

    def write(self, name: str, content: bytes, *, new: bool = False) -> bool:
        """Writes a small file.

        Args:
            name: of the file.
            content: of it.
            new: only where there is none, as far as the store can tell at once.

        Returns:
            Whether it was written.
        """
        path = self._at(name)
        with self._told():
            if self._renames:
                self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
            try:
                self._fs.pipe_file(path, content, mode="create" if new else "overwrite")
            except FileExistsError:
                return False
        return True

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SuiteError:
            raise
        except Exception as error:  # of the many libraries behind fsspec
            raise self._refused(error) from error

    def _lacks(self, said: str) -> SuiteError:
        protocol = self.url.partition("://")[0]
        package = PACKAGES.get(protocol)
        return SuiteError(
            f"nothing that is installed here reaches {protocol}://: {self._first_line(said)}",
            where=self.shown,
            remedy=EXTRA if package == "s3fs" else f"Install {package or 'what it names'} by pip.",
        )

    def _refused(self, error: Exception) -> SuiteError:
        kind, said = type(error).__name__, self._first_line(str(error))
        if isinstance(error, FileNotFoundError):
            return self._error(
                f"there is no such bucket or folder: {said}",
                "Make the bucket, or correct the URL.",
            )
        if isinstance(error, PermissionError) or any(
            word in kind or said.startswith(word) for word in FORBIDDEN
        ):
            return self._error(
                f"may not be read and written: {said or kind}",
                "Log in with the store's own tools, or set its variables of the environment; the "
                "account has to be allowed to list, read, write and delete there.",
            )
        if isinstance(error, ValueError) and "Protocol not known" in said:
            return self._error(said, "Correct the URL, as s3://bucket/path.")
        return self._error(
            f"does not answer as it should ({kind}: {said or 'no reason given'})",
            "Check the URL and the network; the same command goes on where it stopped.",
        )

    def _error(self, cause: str, remedy: str) -> SuiteError:
        return SuiteError(cause, where=self.shown, remedy=remedy)

    def _first_line(self, said: str) -> str:
        """Of what a library says, without a password of the URL."""
        text = (said.strip().splitlines() or [""])[0].replace(self.url, self.shown)
        for secret in filter(None, credentials(self.url)):
            text = text.replace(secret, HIDDEN)
        return text if text.endswith(HIDDEN) else text.rstrip(".")


def _tag(info: Mapping[str, Any]) -> str:
    known = [str(info[name]) for name in TAGS if info.get(name)]
    return f"{info.get('size')}:{':'.join(known[:2])}"
