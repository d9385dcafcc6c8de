#!/usr/bin/env bash
# How fast ecrspec is, beside programs that do less, measured in one go on one machine: what counts is the ratio.
# Takes two minutes, and a machine that does nothing else. Needs cargo, curl, hyperfine, python3, time and wrk.
#
#     cargo build --release --locked
#     benches/side-by-side.sh [ECRSPEC]     # by default target/release/ecrspec
set -euo pipefail
cd "$(dirname "$0")/.."
ecrspec=$(realpath "${1:-target/release/ecrspec}")
for tool in cargo curl hyperfine python3 wrk /usr/bin/time; do
    command -v "$tool" >/dev/null || { echo "side-by-side: $tool is not installed" >&2; exit 2; }
done
work=$(mktemp -d)
"$ecrspec" mock --port 0 >"$work/mock" &
mock=$!
trap 'kill "$mock"; rm -rf "$work"' EXIT
until grep -q 'on http' "$work/mock"; do sleep 0.1; done
endpoint=$(grep -o 'http://[0-9.:]*' "$work/mock")

# One row: what, a figure of ecrspec and that of another, their unit.
row() {
    python3 - "$@" <<'PY'
import sys
what, own, other, unit = sys.argv[1:]
own, other = float(own), float(other)
print(f"| {what} | {own:,.0f} {unit} | {other:,.0f} {unit} | {own / other:.2f} |")
PY
}

# One of the last event of a kind in an event log.
member() {
    python3 - "$@" <<'PY'
import json, sys
path, kind, name = sys.argv[1:]
print([event for event in map(json.loads, open(path)) if event["event"] == kind][-1][name])
PY
}

call() {
    curl -sS -o /dev/null -H 'Content-Type: application/x-amz-json-1.1' \
        -H "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.$1" -d "$2" "$endpoint"
}

call CreateRepository '{"repositoryName":"bench"}'
body='{\"repositoryName\":\"bench\",\"layerDigests\":[\"sha256:'$(printf '0%.0s' {1..64})'\"]}'
cat >"$work/request.lua" <<LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
wrk.headers["X-Amz-Target"] = "AmazonEC2ContainerRegistry_V20150921.BatchCheckLayerAvailability"
wrk.body = "$body"
LUA
echo "| what | ecrspec | beside | ratio |"
echo "| --- | ---: | ---: | ---: |"
sent() {
    wrk -t 1 -c 16 -d 10s -s "$work/request.lua" "$endpoint" | awk '/^Requests\/sec/ { print $2 }'
}

# What is built for it: the release build takes minutes the first time.
bench() {
    cargo bench --quiet --locked --bench judging -- "$@"
}
cargo bench --quiet --locked --bench judging --no-run

row "small requests, judged; one fixed request by wrk" "$(bench small "$endpoint")" "$(sent)" "requests/s"
read -r own router <<<"$(bench)"
row "the same in process, one core; these requests to the bare router" "$own" "$router" "requests/s"

# A part for an upload that is not there: both are answered alike, and nothing is stored.
cat >"$work/part.lua" <<LUA
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-amz-json-1.1"
wrk.headers["X-Amz-Target"] = "AmazonEC2ContainerRegistry_V20150921.UploadLayerPart"
wrk.body = '{"repositoryName":"bench","uploadId":"00000000-0000-4000-8000-000000000000","partFirstByte":0,'
    .. '"partLastByte":20971519,"layerPartBlob":"' .. string.rep("A", 27962027) .. '="}'
LUA
parts=$(wrk -t 1 -c 1 -d 10s -s "$work/part.lua" "$endpoint" | awk '/^Requests\/sec/ { print $2 * 27.96 }')
row "parts of 20 MiB, one at a time; the same bytes by wrk" "$(bench parts "$endpoint")" "$parts" "MB/s"

"$ecrspec" fuzz --service ecr --endpoint "$endpoint" --jobs 16 --budget 10s --report ndjson="$work/fuzz" >/dev/null || true
# Each case makes a repository and removes it, besides its own calls.
calls=$(($(member "$work/fuzz" searched calls) + 2 * $(member "$work/fuzz" searched cases)))
row "\`fuzz\`, calls with set-up and clean-up; one fixed request by wrk" "$(python3 -c "print($calls / 10)")" "$(sent)" "requests/s"

echo
echo "| full run against the embedded mock | seconds | MiB at most |"
echo "| --- | ---: | ---: |"
for jobs in 2 16 64; do
    /usr/bin/time -f '%e %M' -o "$work/time" "$ecrspec" run --jobs "$jobs" >/dev/null
    awk -v jobs="$jobs" '{ printf "| %d jobs | %.1f | %.0f |\n", jobs, $1, $2 / 1024 }' "$work/time"
done

echo
echo "| command | ms, mean |"
echo "| --- | ---: |"
for command in --version list "explain CompleteLayerUpload/layerDigests/match/wrong --service ecr"; do
    # A command is words.
    # shellcheck disable=SC2086
    hyperfine --shell none --warmup 3 --runs 20 --export-json "$work/command" "$ecrspec $command" >/dev/null 2>&1
    python3 -c "import json; print(f'| \`{\"$command\".split()[0]}\` | {json.load(open(\"$work/command\"))[\"results\"][0][\"mean\"] * 1000:.1f} |')"
done
