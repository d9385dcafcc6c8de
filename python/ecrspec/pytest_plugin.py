"""Fixtures that run the suite once in a session.

    def test_ecr(check_ecrspec):
        check_ecrspec()

has a subtest for each cause. To start the server in a fixture, define `ecrspec_endpoint`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

import ecrspec


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ecrspec")
    group.addoption("--ecrspec-endpoint", metavar="URL", help="the server under test (default: ECRSPEC_ENDPOINT)")


@pytest.fixture(scope="session")
def ecrspec_endpoint(pytestconfig: pytest.Config) -> str:
    """The URL of the server under test. Define a fixture of this name to start a server."""
    endpoint = pytestconfig.getoption("--ecrspec-endpoint") or os.environ.get("ECRSPEC_ENDPOINT")
    if not endpoint:
        pytest.fail("no server to test: --ecrspec-endpoint, ECRSPEC_ENDPOINT, or a fixture ecrspec_endpoint", False)
    return endpoint


@pytest.fixture(scope="session")
def ecrspec_arguments() -> Sequence[str]:
    """Flags of `ecrspec run`. Define a fixture of this name to give some."""
    return ()


@pytest.fixture(scope="session")
def ecrspec_report(ecrspec_endpoint: str, ecrspec_arguments: Sequence[str]) -> ecrspec.Report:
    """The report of one run."""
    return ecrspec.run(ecrspec_endpoint, *ecrspec_arguments)


@pytest.fixture
def check_ecrspec(ecrspec_report: ecrspec.Report, subtests: pytest.Subtests) -> Callable[[], None]:
    """Makes each cause a subtest, which fails if it fails the run, and checks the exit code."""

    def check() -> None:
        for cause in ecrspec_report.causes:
            with subtests.test(cause.sentence):
                if cause.status == "gates":
                    pytest.fail(str(cause), pytrace=False)
                pytest.skip(f"{cause.status}: {cause.rule}")
        # Also what is no finding: an outdated known file, timeouts, a part that is missing.
        if ecrspec_report.exit_code != 0:
            pytest.fail("\n".join([*ecrspec_report.warnings, ecrspec_report.verdict]), pytrace=False)

    return check
