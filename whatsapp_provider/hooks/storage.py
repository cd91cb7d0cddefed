"""Write a file to any storage that Airflow knows, so that it is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, cast
from uuid import uuid4

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.redaction import redact

#: Here an upload shows when it is complete, and a name can't be changed without a copy.
_OBJECT_STORES = frozenset(
    {"abfs", "abfss", "adl", "az", "gcs", "gs", "oci", "oss", "r2", "s3", "s3a", "wasb", "wasbs"}
)


@contextmanager
def written_whole(url: str) -> Iterator[BinaryIO]:
    """Yield a file that comes to stand under its name when the block ends well, in place of one that is there.

    It is made on the worker's disk: an error, or a killed task, leaves nothing half under the name.

    :raises ConfigurationError: if it can't be written there.
    """
    from airflow.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(url)
        is_local = (path.protocol or "file") in ("file", "local")
        # Before anything is made for it.
        storage = None if is_local else path.fs
    except (ValueError, ImportError) as error:
        raise _refused(url, str(error)) from None
    try:
        with _beside(Path(path.path)) if is_local else _uploaded(storage, path.path, path.protocol) as file:
            yield file
    except (
        FileExistsError,
        FileNotFoundError,
        IsADirectoryError,
        NotADirectoryError,
        PermissionError,
    ) as error:
        # Other failures of a storage may pass, and a retry writes it.
        raise _refused(url, error.strerror or type(error).__name__) from None


def _refused(url: str, why: str) -> ConfigurationError:
    return ConfigurationError(f"The file {redact(url)} can't be written: {redact(why)}.")


@contextmanager
def _beside(target: Path) -> Iterator[BinaryIO]:
    """Make it in the same folder, where a new name is one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _uploaded(storage: Any, target: str, protocol: str) -> Iterator[BinaryIO]:
    with NamedTemporaryFile(suffix=".part") as local:
        yield cast("BinaryIO", local)
        local.flush()
        if protocol in _OBJECT_STORES:
            storage.put_file(local.name, target)
            return
        folder, _, name = target.rpartition("/")
        part = f"{folder}/.{name}.{uuid4().hex}.part" if folder else f".{name}.{uuid4().hex}.part"
        try:
            storage.put_file(local.name, part)
            if storage.exists(target):
                # Some servers rename to free names only.
                storage.rm_file(target)
            storage.mv(part, target)
        except BaseException:
            with suppress(Exception):
                storage.rm_file(part)
            raise
