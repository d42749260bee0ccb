"""Copies of sets in a bucket of S3-compatible storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from runner.actions.backup.content import PIECE
from runner.actions.backup.manifest import MANIFEST
from runner.actions.backup.storage import PARTIAL
from runner.durations import Deadline
from runner.errors import Failed

_CONNECT, _READ, _TRIES = 10.0, 60.0, 2


class S3Store:
    """Objects under a prefix. A set's manifest has another name until all of the set was read back."""

    def __init__(self, endpoint: str, bucket: str, prefix: str, keys: tuple[str, str], region: str) -> None:
        self._minio, self._urllib3 = _load()
        address = urlsplit(endpoint)
        if address.scheme not in ("http", "https") or not address.netloc:
            raise Failed(f"s3.endpoint: {endpoint} is no address. write it as https://s3.example.id")
        waits = self._urllib3.Timeout(connect=_CONNECT, read=_READ)
        pool = self._urllib3.PoolManager(timeout=waits, retries=self._urllib3.Retry(total=_TRIES, backoff_factor=0.2))
        self._client = self._minio.Minio(
            address.netloc,
            access_key=keys[0],
            secret_key=keys[1],
            secure=address.scheme == "https",
            region=region or None,
            http_client=pool,
        )
        self._bucket, self._prefix, self._place = bucket, prefix, f"{endpoint}/{bucket}"

    def room(self) -> None:
        """Storage of this kind does not tell."""

    def write(self, name: str, source: Path, deadline: Deadline) -> None:
        """Write a file into the set of that name."""
        key = self._key(name, source.name + (PARTIAL if source.name == MANIFEST else ""))
        with self._words():
            self._client.fput_object(self._bucket, key, str(source))

    def finish(self, name: str, deadline: Deadline) -> None:
        """Give the set its manifest."""
        key = self._key(name, MANIFEST)
        with self._words():
            source = self._minio.commonconfig.CopySource(self._bucket, key + PARTIAL)
            self._client.copy_object(self._bucket, key, source)
            self._client.remove_object(self._bucket, key + PARTIAL)

    def read(self, name: str, file: str, deadline: Deadline, *, finished: bool) -> Iterator[bytes] | None:
        """Give a file of a set, as the storage sends it back."""
        key = self._key(name, file + (PARTIAL if file == MANIFEST and not finished else ""))
        with self._words():
            try:
                answer = self._client.get_object(self._bucket, key)
            except self._minio.error.S3Error as error:
                if error.code == "NoSuchKey":
                    return None
                raise
        return self._pieces(answer)

    def _pieces(self, answer: Any) -> Iterator[bytes]:
        with self._words():
            try:
                yield from answer.stream(PIECE)
            finally:
                answer.close()
                answer.release_conn()

    def _key(self, name: str, file: str) -> str:
        return f"{self._prefix}/{name}/{file}"

    @contextmanager
    def _words(self) -> Iterator[None]:
        try:
            yield
        except self._minio.error.S3Error as error:
            raise Failed(f"{self._place}: {error.code}: {error.message}. check the bucket and the keys") from None
        except (self._minio.error.MinioException, self._urllib3.exceptions.HTTPError, ValueError) as error:
            raise Failed(f"{self._place}: {error}. check the endpoint, and that it can be reached") from None


def _load() -> tuple[Any, Any]:
    try:
        import minio
        import minio.commonconfig
        import minio.error
        import urllib3
    except ImportError:
        raise Failed("copies to S3 need the library minio. run: pip install 'sop-runner[s3]'") from None
    return minio, urllib3
