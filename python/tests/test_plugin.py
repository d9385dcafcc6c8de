"""What the wheel has beside the binary: `ecrspec.run`, and the fixtures."""

import subprocess
import sys

import pytest

import ecrspec

RULE = "CompleteLayerUpload/repositoryName/max-length"
# Cases of one member, so that a run takes a second.
SOME = ["--service", "ecr", "--cases", "0", "--filter", "CompleteLayerUpload/repositoryName/"]
TEST = """
    import pytest

    @pytest.fixture(scope="session")
    def ecrspec_arguments():
        return {arguments!r}

    def test_ecr(check_ecrspec):
        check_ecrspec()
"""


def pytest_of(pytester, arguments, *flags):
    pytester.makepyfile(TEST.format(arguments=arguments))
    return pytester.runpytest("-p", "no:cacheprovider", *flags)


def test_a_clean_run_passes(pytester, mock):
    result = pytest_of(pytester, SOME, "--ecrspec-endpoint", mock())
    result.assert_outcomes(passed=1)


def test_each_cause_is_a_subtest_that_fails(pytester, mock):
    result = pytest_of(pytester, SOME, "--ecrspec-endpoint", mock("--fault", "complete-name-one-longer"))
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "CompleteLayerUpload answers 400 RepositoryNotFoundException to repositoryName that is too long",
            f"rule      {RULE}",
            "expected  400 InvalidParameterException",
            "got       400 RepositoryNotFoundException",
            f"replay    ecrspec replay {RULE}/*",
            "FAIL  http://127.0.0.1:*",
            "SUBFAILED*CompleteLayerUpload answers 400 RepositoryNotFoundException*",
        ]
    )


def test_a_known_deviation_is_a_subtest_that_is_skipped(pytester, mock):
    known = pytester.path / "known.toml"
    known.write_text(f'[[known]]\nrule = "{RULE}"\ngot = "400 RepositoryNotFoundException"\nreason = "issue 17"\n')
    arguments = [*SOME, "--known", str(known)]
    endpoint = mock("--fault", "complete-name-one-longer")
    result = pytest_of(pytester, arguments, "--ecrspec-endpoint", endpoint, "-v", "-rs")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"SUBSKIPPED*known: {RULE}"])


def test_a_run_that_is_not_clean_without_a_finding_fails(pytester, mock):
    # A reason is missing, which is a warning.
    known = pytester.path / "known.toml"
    known.write_text(f'[[known]]\nrule = "{RULE}"\ngot = "200"\nreason = "to be filled in"\n')
    arguments = [*SOME, "--known", str(known), "--deny-warnings"]
    result = pytest_of(pytester, arguments, "--ecrspec-endpoint", mock())
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["known deviations of 1 rule have no reason yet", "FAIL *warnings, and --deny-warnings*"])


def test_no_endpoint_is_an_error_and_never_the_embedded_mock(pytester, monkeypatch):
    monkeypatch.delenv("ECRSPEC_ENDPOINT", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    result = pytest_of(pytester, SOME)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no server to test: *"])


def test_the_endpoint_may_be_a_fixture_or_a_variable(pytester, mock, monkeypatch):
    endpoint = mock()
    monkeypatch.setenv("ECRSPEC_ENDPOINT", endpoint)
    pytest_of(pytester, SOME).assert_outcomes(passed=1)
    monkeypatch.setenv("ECRSPEC_ENDPOINT", "http://127.0.0.1:9")
    pytester.makeconftest(
        f"import pytest\n\n@pytest.fixture(scope='session')\ndef ecrspec_endpoint():\n    return {endpoint!r}\n"
    )
    pytest_of(pytester, SOME).assert_outcomes(passed=1)


def test_a_flag_that_is_none_is_an_error_with_its_message(mock):
    with pytest.raises(RuntimeError, match="--no-such-flag"):
        ecrspec.run(mock(), "--no-such-flag")


def test_a_server_that_is_not_there_is_an_error():
    with pytest.raises(RuntimeError, match="(?s)exit code 3.*no connection"):
        ecrspec.run("http://127.0.0.1:9", *SOME)


def test_the_module_is_the_binary():
    module = subprocess.run([sys.executable, "-m", "ecrspec", "--version"], capture_output=True, text=True)
    command = subprocess.run([ecrspec.binary(), "--version"], capture_output=True, text=True)
    assert (module.returncode, module.stdout) == (0, command.stdout)
    assert module.stdout.startswith("ecrspec ")
