"""What every test of stages may ask for besides the fixtures above."""

from pathlib import Path

import pytest

from stages.documents import SealFace
from tests.simulators import pdfs
from tests.simulators.pki import tryout_pki, tryout_signer, tryout_tsa

__all__ = ["tryout_pki", "tryout_signer", "tryout_tsa"]


@pytest.fixture
def faces(tmp_path: Path) -> dict[str, SealFace]:
    return {
        face.name: face for face in (pdfs.seal_face(tmp_path), pdfs.seal_face(tmp_path, "法人章", 20, 18))
    }
