"""The folder store on disk: what a crash, a careless owner and several processes do to it."""

import hashlib
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.errors import Corrupt, Retained, StoreUnavailable
from storage.local_objects import FolderStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "objects")


def path_of(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "objects" / digest[:2] / digest[2:4] / digest


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def test_an_object_is_read_only_and_sharded(folder: FolderStore, tmp_path: Path) -> None:
    path = path_of(tmp_path, folder.put_bytes(b"kept").digest)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_consuming_moves_the_file_without_copying_it(folder: FolderStore, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"large")
    inode = source.stat().st_ino
    stored = folder.put_file(source, consume=True)
    assert path_of(tmp_path, stored.digest).stat().st_ino == inode


def test_changed_bytes_are_found_on_every_way_out(folder: FolderStore, tmp_path: Path) -> None:
    digest = folder.put_bytes(b"kept").digest
    overwrite(path_of(tmp_path, digest), b"KEPT")
    with pytest.raises(Corrupt):
        folder.read(digest)
    with pytest.raises(Corrupt):
        folder.copy_to(digest, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with folder.open(digest) as reader, pytest.raises(Corrupt):
        reader.read()


def test_putting_over_a_truncated_object_says_so(folder: FolderStore, tmp_path: Path) -> None:
    digest = folder.put_bytes(b"kept").digest
    overwrite(path_of(tmp_path, digest), b"k")
    with pytest.raises(Corrupt):
        folder.put_bytes(b"kept")


def test_after_its_retention_an_object_is_deleted_with_its_note(folder: FolderStore, tmp_path: Path) -> None:
    digest = folder.put_bytes(b"kept").digest
    folder.retain(digest, NOW)
    with pytest.raises(Retained):
        folder.delete(digest, now=NOW - timedelta(seconds=1))
    folder.delete(digest, now=NOW)
    assert list(path_of(tmp_path, digest).parent.iterdir()) == []


@pytest.mark.parametrize("note", [b"", b"soon", b"2030-01-01T00:00:00", b"\xff\xfe"])
def test_an_unreadable_retention_note_keeps_the_object(
    folder: FolderStore, tmp_path: Path, note: bytes
) -> None:
    digest = folder.put_bytes(b"kept").digest
    folder.retain(digest, NOW)
    path_of(tmp_path, digest).with_suffix(".retained").write_bytes(note)
    with pytest.raises(Corrupt):
        folder.retained_until(digest)
    with pytest.raises(Corrupt):
        folder.delete(digest, now=NOW + timedelta(days=10_000))
    assert folder.has(digest)


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreUnavailable):
        FolderStore(tmp_path / "file" / "objects")


def test_a_writer_killed_while_writing_leaves_no_object(folder: FolderStore, tmp_path: Path) -> None:
    program = (
        "import io, os, signal, sys\n"
        "from pathlib import Path\n"
        "import storage.local_objects as m\n"
        "def killed(*args): os.kill(os.getpid(), signal.SIGKILL)\n"
        "m.os.fsync = killed\n"
        "m.FolderStore(Path(sys.argv[1])).put_bytes(b'half')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "objects")], cwd=REPOSITORY)
    assert done.returncode == -9
    digest = hashlib.sha256(b"half").hexdigest()
    assert not folder.has(digest)
    assert folder.put_bytes(b"half").digest == digest


def test_several_processes_put_the_same_object(folder: FolderStore, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from storage.local_objects import FolderStore\n"
        "store = FolderStore(Path(sys.argv[1]))\n"
        "for number in range(50): store.put_bytes(b'%d' % number)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "objects")]
    writers = [subprocess.Popen(command, cwd=REPOSITORY) for _ in range(3)]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0, 0]
    for number in range(50):
        data = b"%d" % number
        assert folder.read(hashlib.sha256(data).hexdigest()) == data
    assert os.listdir(tmp_path / "objects" / "incoming") == []
