#!/usr/bin/env bash
# How long ecrspec and Schemathesis take to test a server, and which faults each finds: one table, as Markdown.
# Needs python3 with venv, and a network for what it installs. Every 20th fault, or as told.
#
#     benches/beside-schemathesis.sh [ECRSPEC [EVERY]]     # a release build; by default target/release/ecrspec
set -euo pipefail
cd "$(dirname "$0")/.."
ecrspec=$(realpath "${1:-target/release/ecrspec}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5 botocore==1.43.106
"$work/venv/bin/python" benches/beside_schemathesis.py "$ecrspec" "$work/venv/bin/st" "${2:-20}"
