#!/usr/bin/env bash
# How fast ecrspec generates, beside Hypothesis drawing from the same patterns: one table, as Markdown.
# Needs cargo, python3 with venv, and a network for what they install. Nothing is left behind but target/.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check hypothesis==6.170.15

cargo bench --quiet --locked --no-default-features --bench generation -- --max-time 5 | tee "$work/divan" >&2
"$work/venv/bin/python" benches/beside_hypothesis.py <"$work/divan"
