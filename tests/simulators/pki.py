"""A try-out authority made once a session, for tests of every room that signs or verifies."""

from datetime import UTC, datetime

import pytest

from pipeline.tryout.pki import TryoutPki, create_pki


@pytest.fixture(scope="session")
def tryout_pki(tmp_path_factory: pytest.TempPathFactory) -> TryoutPki:
    """A root, a signer, a TSA and a seal maker, valid now."""
    folder = tmp_path_factory.mktemp("tryout") / "pki"
    return create_pki(folder, now=datetime.now(UTC))
