"""Draws what benches/soak.sh and benches/growth.sh print, as SVG for the guide.

    pip install matplotlib==3.10.8
    benches/soak.sh 60 | tee soak.md
    benches/growth.sh | tee growth.md
    plot.py soak.md growth.md docs/src/pictures
"""

import pathlib
import sys

import matplotlib

matplotlib.use("svg")
# Text stays text, and the same table gives the same file.
matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ecrspec", "font.size": 9})
from matplotlib import pyplot  # noqa: E402


def rows(path):
    """The numbers of a Markdown table, a list a row."""
    for line in pathlib.Path(path).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].isdigit():
            yield [float(cell or "nan") for cell in cells]


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def soak(table, path):
    seconds, search, mock, _, rate = zip(*table)
    minutes = [second / 60 for second in seconds]
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(7, 4))
    above.plot(minutes, search, label="search")
    above.plot(minutes, mock, label="mock")
    above.set(ylabel="MiB", ylim=(0, None))
    above.legend(loc="lower right")
    below.plot(minutes, rate)
    below.set(xlabel="minutes", ylabel="calls/s", ylim=(0, None))
    save(figure, path)


def growth(table, path):
    figure, (time, memory) = pyplot.subplots(1, 2, figsize=(7, 3))
    for jobs in sorted({row[1] for row in table}):
        of = [row for row in table if row[1] == jobs]
        cases = [row[0] for row in of]
        time.plot(cases, [row[2] for row in of], marker="o", label=f"{jobs:.0f} jobs")
        memory.plot(cases, [row[3] for row in of], marker="o")
    time.set(xscale="log", yscale="log", xlabel="cases", ylabel="seconds")
    memory.set(xscale="log", xlabel="cases", ylabel="MiB at most", ylim=(0, None))
    time.legend()
    save(figure, path)


if __name__ == "__main__":
    soaked, grown, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    soak(list(rows(soaked)), folder / "soak.svg")
    growth(list(rows(grown)), folder / "growth.svg")
