#!/usr/bin/env bash
# How time and memory grow with the cases of a run, and with its jobs: random sequences against a mock in a process of its
# own. One row each, as Markdown.
#
#     benches/growth.sh [ECRSPEC [CASES...]]     # a release build; by default target/release/ecrspec 1000 10000 100000
set -euo pipefail
cd "$(dirname "$0")/.."
ecrspec=$(realpath "${1:-target/release/ecrspec}")
counts=("${@:2}")
((${#counts[@]})) || counts=(1000 10000 100000)
work=$(mktemp -d)
"$ecrspec" mock --port 0 --service ecr >"$work/mock" &
mock=$!
trap 'kill "$mock"; rm -rf "$work"' EXIT
until grep -q 'on http' "$work/mock"; do sleep 0.1; done
endpoint=$(grep -o 'http://[0-9.:]*' "$work/mock")

echo "| cases | jobs | seconds | MiB at most |"
echo "| ---: | ---: | ---: | ---: |"
for cases in "${counts[@]}"; do
    for jobs in 1 4 16 64; do
        /usr/bin/time -f '%e %M' -o "$work/time" \
            "$ecrspec" run --service ecr --endpoint "$endpoint" --filter random/ --cases "$cases" --jobs "$jobs" >/dev/null
        awk -v cases="$cases" -v jobs="$jobs" \
            '{ printf "| %d | %d | %.1f | %.0f |\n", cases, jobs, $1, $2 / 1024 }' "$work/time"
    done
done
