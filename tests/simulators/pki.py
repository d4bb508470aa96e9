"""A try-out authority made once a session, for tests of every room that signs or verifies.

A room's conftest imports the fixtures by name: `from tests.simulators.pki import tryout_pki`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from pipeline.keys import open_signer
from pipeline.tryout.pki import TryoutPki, create_pki
from pipeline.tryout.tsa import TsaServer
from stages.authorities import Signer


@pytest.fixture(scope="session")
def tryout_pki(tmp_path_factory: pytest.TempPathFactory) -> TryoutPki:
    """A root, a signer, a TSA and a seal maker, valid now."""
    folder = tmp_path_factory.mktemp("tryout") / "pki"
    return create_pki(folder, now=datetime.now(UTC))


@pytest.fixture(scope="session")
def tryout_signer(tryout_pki: TryoutPki) -> Signer:
    """The try-out signer's key, open."""
    return open_signer(tryout_pki.signer_uri, pin=tryout_pki.pin("signer"))


@pytest.fixture(scope="session")
def tryout_tsa(tryout_pki: TryoutPki) -> Iterator[TsaServer]:
    """The try-out time-stamping authority, listening."""
    with TsaServer(tryout_pki) as server:
        yield server
