"""A real RabbitMQ server in a temporary folder, for the tests that need one."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path("/usr/lib/rabbitmq/bin")
START_TIMEOUT_S = 60
CONSUMER_TIMEOUT_MS = 86_400_000


@contextmanager
def rabbitmq_server() -> Iterator[str]:
    """Run a server for as long as the block lasts; give its URL."""
    folder = Path(tempfile.mkdtemp(prefix="sealine-mq-", dir="/tmp"))
    port, dist_port, epmd_port = _free_ports(3)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"test{port}@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
    }
    (folder / "log").mkdir()
    (folder / "plugins").write_text("[].\n")
    (folder / "rabbitmq.conf").write_text(f"consumer_timeout = {CONSUMER_TIMEOUT_MS}\n")

    def control(*words: str) -> None:
        subprocess.run(
            [PROGRAMS / "rabbitmqctl", "-q", *words],
            env=environment,
            check=True,
            capture_output=True,
            timeout=START_TIMEOUT_S + 10,
        )

    with (folder / "out").open("wb") as output:
        server = subprocess.Popen(
            [PROGRAMS / "rabbitmq-server"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        control("wait", "--timeout", str(START_TIMEOUT_S), str(folder / "pid"))
        yield f"amqp://guest:guest@127.0.0.1:{port}"
    finally:
        try:
            control("shutdown")
            server.wait(timeout=20)
        except (subprocess.SubprocessError, OSError):
            server.kill()
            server.wait(timeout=20)
        subprocess.run(
            ["epmd", "-port", str(epmd_port), "-kill"], env=environment, capture_output=True, timeout=10
        )
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
