#!/usr/bin/env bash
# How fast ecrspec is, beside programs that do less, measured in one go on one machine: what counts is the ratio.
# Takes two minutes, and a machine that does nothing else. Needs curl, hyperfine, python3, time and wrk.
#
#     benches/side-by-side.sh [ECRSPEC]     # a release build; by default target/release/ecrspec
set -euo pipefail
cd "$(dirname "$0")/.."
ecrspec=$(realpath "${1:-target/release/ecrspec}")
for tool in curl hyperfine python3 wrk /usr/bin/time; do
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

fixed=$(sent)
# Small requests alone: what these cases send, with set-up and clean-up, for as long as they take.
small=(--service ecr --endpoint "$endpoint" --jobs 16 --cases 0)
for part in BatchCheckLayerAvailability/ GetDownloadUrlForLayer/ InitiateLayerUpload/ wire/method wire/body; do small+=(--filter "$part"); done
calls=$("$ecrspec" run "${small[@]}" --dry-run | awk '$1 == "total" { print $2 }')
"$ecrspec" run "${small[@]}" --report ndjson="$work/small" >/dev/null
seconds=$(member "$work/small" finished seconds)
row "small requests, judged; one fixed request by wrk" "$(python3 -c "print($calls / $seconds)")" "$fixed" "requests/s"

"$ecrspec" fuzz --service ecr --endpoint "$endpoint" --jobs 16 --budget 10s --report ndjson="$work/fuzz" >/dev/null || true
calls=$(member "$work/fuzz" searched calls)
row "\`fuzz\`, calls of sequences; one fixed request by wrk" "$(python3 -c "print($calls / 10)")" "$(sent)" "requests/s"

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
