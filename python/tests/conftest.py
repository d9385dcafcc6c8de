"""The mock as the server under test."""

import subprocess

import pytest

import ecrspec

pytest_plugins = ["pytester"]


@pytest.fixture
def mock():
    """Starts `ecrspec mock` with some flags, and says where it listens."""
    started = []

    def start(*arguments: str) -> str:
        command = [ecrspec.binary(), "mock", "--service", "ecr", "--port", "0", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process.stdout.readline().split()[3].rstrip(",")

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()
