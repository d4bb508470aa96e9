"""What docker-compose.yml puts together, as processes: Postgres, RabbitMQ, S3 with a lock, a worker apart."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from minio import Minio

from tests.end_to_end.conftest import Ran, command, environment, run_sealine
from tests.simulators.postgres_server import postgres_server
from tests.simulators.rabbitmq_server import rabbitmq_server
from tests.simulators.s3_server import s3_server

pytestmark = [
    pytest.mark.needs_postgres,
    pytest.mark.needs_rabbitmq,
    pytest.mark.needs_s3,
    pytest.mark.slow,
]


class Site:
    """The settings of a site, and its one worker."""

    def __init__(self, home: Path, settings: dict[str, str]) -> None:
        self.home = home
        self._settings = settings

    def run(self, *arguments: str | Path) -> Ran:
        """Run one command there."""
        return run_sealine("--home", self.home, *arguments, **self._settings)

    def start_worker(self, log: Path) -> "subprocess.Popen[bytes]":
        """Start `sealine worker`."""
        with log.open("wb") as stderr:
            return subprocess.Popen(
                command("--home", self.home, "worker"),
                env=environment(**self._settings),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Three real servers, a locked bucket on one of them, and a try-out authority."""
    with ExitStack() as stack:
        amqp = stack.enter_context(rabbitmq_server())
        records = stack.enter_context(postgres_server()).new_database()
        s3 = stack.enter_context(s3_server())
        bucket = Minio(s3.endpoint, access_key=s3.access_key, secret_key=s3.secret_key, secure=False)
        bucket.make_bucket("sealine", object_lock=True)
        site = Site(
            tmp_path / "home",
            {
                "SEALINE_RECORDS_URL": records,
                "SEALINE_BROKER_URL": amqp,
                "SEALINE_STORE_URL": f"s3+http://{s3.endpoint}/sealine",
                "SEALINE_S3_ACCESS_KEY": s3.access_key,
                "SEALINE_S3_SECRET_KEY": s3.secret_key,
            },
        )
        assert site.run("pki", "init").code == 0
        worker = site.start_worker(tmp_path / "worker.log")
        try:
            yield site
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0, (tmp_path / "worker.log").read_text("utf-8")


def test_a_package_goes_through_postgres_rabbitmq_s3_and_a_worker(
    site: Site, demo: dict[str, Any], tmp_path: Path
) -> None:
    for seal in demo["seals"]:
        made = site.run("seal", "make", seal["image"], "--name", seal["name"], "--owner", seal["name"])
        assert made.code == 0, made.stderr

    signing = ("bid", "sign", demo["package"], "--plan", demo["plan"], "-o", tmp_path / "out", "--json")
    first = site.run(*signing)
    assert first.code == 0, first.stderr
    assert {(file["state"], file["signatures"]) for file in first.json["files"]} == {("archived", 1)}
    signed = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert len(signed) == len(first.json["files"]) == 3

    assert site.run(*signing).json["package"] == first.json["package"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == signed

    proved = site.run("archive", "verify", sorted(signed)[0], "--json")
    assert proved.code == 0, proved.stderr
    assert proved.json["indication"] == "TOTAL-PASSED"
    assert not (site.home / "records.sqlite").exists()
    assert not (site.home / "queue.sqlite").exists()
    assert not (site.home / "objects").exists()
