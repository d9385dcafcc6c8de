"""ecrspec: runs the binary that this package carries, and reads its result."""

from __future__ import annotations

import json
import os
import subprocess
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cause", "Report", "binary", "run"]

# Of the JSON result: docs/schema/result-1.json.
_SCHEMA = 1
# Clean, findings, outdated known file, inconclusive. With all others there is nothing to report (docs/src/exit-codes.md).
_JUDGED = (0, 1, 5, 6)


@dataclass(frozen=True)
class Cause:
    """Findings that have one cause."""

    sentence: str
    #: "gates" if it fails the run; "known" or "tolerated" if not.
    status: str
    rule: str
    expected: str
    got: str
    cases: tuple[str, ...]
    sources: tuple[str, ...]
    #: The command that runs the smallest case again.
    replay: str | None

    def __str__(self) -> str:
        lines = [self.sentence, f"rule      {self.rule}"]
        lines += [f"source    {source}" for source in self.sources]
        lines += [f"expected  {self.expected}", f"got       {self.got}", f"cases     {len(self.cases)}: {self.cases[0]}"]
        if self.replay:
            lines.append(f"replay    {self.replay}")
        return "\n".join(lines)


@dataclass(frozen=True)
class Report:
    """What a run said."""

    #: The verdict of the run: 0 is clean.
    exit_code: int
    #: The last line of the report.
    verdict: str
    warnings: tuple[str, ...]
    causes: tuple[Cause, ...]
    #: The report as a terminal shows it.
    text: str


def binary() -> Path:
    """The binary that was installed with this package."""
    name = "ecrspec" + (sysconfig.get_config_var("EXE") or "")
    # Of this environment, or of the user (`pip install --user`).
    schemes = [sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user")]
    places = [Path(sysconfig.get_path("scripts", scheme)) / name for scheme in schemes]
    for place in places:
        if place.is_file():
            return place
    raise FileNotFoundError("ecrspec is in none of: " + ", ".join(map(str, places)))


def run(endpoint: str, *arguments: str) -> Report:
    """Runs the suite against an endpoint, with these flags of `ecrspec run`.

    Raises RuntimeError with what the binary says if nothing was judged, as when the server cannot be reached.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [binary(), "run", "--endpoint", endpoint, *arguments, "--report", f"json={result}"]
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            env={**os.environ, "NO_COLOR": "1"},
        )
        if ended.returncode not in _JUDGED:
            raise RuntimeError(f"ecrspec run ended with exit code {ended.returncode}\n{ended.stderr}{ended.stdout}")
        return _report(json.loads(result.read_text(encoding="utf-8")), ended.stdout)


def _report(result: dict, text: str) -> Report:
    if result["schema"] != _SCHEMA:
        raise RuntimeError(f"expected schema {_SCHEMA} of the result, found {result['schema']}")
    return Report(
        exit_code=result["verdict"]["exit_code"],
        verdict=result["verdict"]["line"],
        warnings=tuple(result["warnings"]),
        causes=tuple(map(_cause, result["causes"])),
        text=text,
    )


def _cause(cause: dict) -> Cause:
    return Cause(
        sentence=cause["sentence"],
        status=cause["status"],
        rule=cause["finding"]["rule"],
        expected=cause["expected_words"],
        got=cause["finding"]["got"],
        cases=tuple(case["case"] for case in cause["cases"]),
        sources=tuple(f"{source['what']} ({source['edition']}), {source['url']}" for source in cause["sources"]),
        replay=cause["replay"],
    )
