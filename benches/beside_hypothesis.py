"""Draws with Hypothesis what `benches/generation.rs` draws, and prints both in one table.

Called by beside-hypothesis.sh, with the output of the benchmark on its standard input.
"""

import json
import re
import sys
import time

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings, strategies

# As documented, without anchors; tests/tidy.rs holds them against the contract.
PATTERNS = {
    "layerDigest": r"[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+",
    "repositoryName": r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*",
    "uploadId": r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "registryId": r"[0-9]{12}",
}
TEXTS = {member: strategies.from_regex(pattern, fullmatch=True) for member, pattern in PATTERNS.items()}

# For how many seconds each strategy is drawn from, about: some of them give ten items in that time.
SECONDS = 3

# The rows: what is drawn, and its name in the benchmark. None where Hypothesis has no counterpart.
ROWS = [
    ("strings", None, None),
    *((f"{member}, valid", f"strings/matching/{member}", member) for member in PATTERNS),
    *((f"{member}, valid and near misses", f"strings/texts/{member}", None) for member in PATTERNS),
    ("requests, every member drawn from its pattern", None, None),
    ("1 digest, valid", "bodies/valid/1", 1),
    ("100 digests, valid", "bodies/valid/100", 100),
    ("requests about an upload, each with what must be answered", None, None),
    ("1 digest, valid", "requests/valid_small", 1),
    ("100 digests, valid", "requests/valid_100_digests", 100),
    ("1 digest or none, invalid", "requests/invalid_small", None),
    ("100 digests, invalid", "requests/invalid_100_digests", None),
    ("101 digests, invalid", "requests/invalid_101_digests", None),
    ("sequences of calls", None, None),
    ("decisions alone", "plans/drawn", None),
    ("requests, each with what must be answered", "plans/realised", None),
]

NOTES = """\
Items per second of one core; of ecrspec the fastest of some runs that each draw the same items, of Hypothesis one run of
some seconds. ratio: ecrspec by Hypothesis.
What is not the same:
- Hypothesis records every choice, so that it can shrink and mutate; ecrspec derives a string from 8 bytes, a request
  from 14, and shrinks those. So part of the ratio is what Hypothesis does and ecrspec does not.
- Hypothesis chooses lengths, mostly short ones (the mean is in the table); ecrspec draws the length that is asked for:
  71, 20, 36 and 12 characters.
- One item is drawn an example, as a test would draw it; what an example costs by itself is in the figure.
- Requests about an upload are not drawn from patterns: which digests are right is known, and the wrong ones are
  counted up. Hypothesis knows neither; its figure is the one for drawn members.
- Hypothesis is timed by the time of the process, ecrspec by the clock. Neither is told to use a second core."""


def run(strategy, size, examples, each):
    """Draws in one run of one test: items per second, the mean of their sizes, and how many were drawn."""
    drawn = []

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.data())
    def test(data):
        for _ in range(each):
            drawn.append(size(data.draw(strategy)))

    start = time.process_time()
    test()
    return len(drawn) / (time.process_time() - start), sum(drawn) / len(drawn), len(drawn)


def completion(digests):
    """A strategy for the JSON text of a request with so many digests."""
    members = {
        "repositoryName": TEXTS["repositoryName"],
        "uploadId": TEXTS["uploadId"],
        "layerDigests": strategies.lists(TEXTS["layerDigest"], min_size=digests, max_size=digests),
    }
    return strategies.fixed_dictionaries(members).map(json.dumps)


def measured(what):
    strategy = TEXTS[what] if what in TEXTS else completion(what)
    rate, _, _ = run(strategy, len, 10, 1)
    return run(strategy, len, int(min(5000, max(10, rate * SECONDS))), 1)


def of_benchmark(lines):
    """The fastest figure of each benchmark, as items per second: divan prints a tree, and a line of rates below a time."""
    scale = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9}
    path, found = [], {}
    for line in lines:
        if name := re.match(r"([│ ]*)[├╰]─ (\S+)", line):
            path = path[: len(name[1]) // 3] + [name[2]]
        elif rate := re.match(r"[│ ]*?([\d.]+) ([KMG]?)item/s", line):
            found["/".join(path)] = float(rate[1]) * scale[rate[2]]
    return found


def rounded(number):
    """Three digits: more would be noise."""
    digits = f"{float(f'{number:.3g}'):,.0f}"
    return digits if number >= 100 else f"{number:.3g}"


def main():
    ours = of_benchmark(sys.stdin)
    theirs = {}
    print(f"| what | ecrspec | Hypothesis {hypothesis.__version__} | ratio | characters drawn by Hypothesis, mean |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for title, name, what in ROWS:
        if name is None:
            print(f"| **{title}** | | | | |")
            continue
        if what is None:
            print(f"| {title} | {rounded(ours[name])} | – | – | – |")
            continue
        if what not in theirs:
            theirs[what] = measured(what)
        rate, mean, _ = theirs[what]
        print(f"| {title} | {rounded(ours[name])} | {rounded(rate)} | {rounded(ours[name] / rate)} | {mean:.0f} |")
    print()
    print(NOTES)


if __name__ == "__main__":
    main()
