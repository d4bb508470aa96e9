"""A zip that is written as it is read."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from pipeline.web.zips import CHUNK_BYTES, stream_zip

AT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def test_every_file_comes_out_of_the_zip_whole(tmp_path: Path) -> None:
    contents = {"商务/投标函.pdf": b"one" * 999, "技术.pdf": bytes(CHUNK_BYTES * 2 + 5), "空.pdf": b""}
    files = []
    for number, (name, content) in enumerate(contents.items()):
        (tmp_path / str(number)).write_bytes(content)
        files.append((name, tmp_path / str(number)))
    with zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(files, made_at=AT)))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents


def test_no_piece_is_much_larger_than_a_chunk(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(CHUNK_BYTES * 6))
    pieces = list(stream_zip([("large", tmp_path / "large")], made_at=AT))
    assert max(map(len, pieces)) < CHUNK_BYTES + 4096
