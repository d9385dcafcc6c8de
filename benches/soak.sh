#!/usr/bin/env bash
# Whether memory and rate stay as they are: a search at 16 jobs against a mock in a process of its own, for so many minutes.
# Prints a row each 10 s, and at the end how the last third compares with the second.
#
#     benches/soak.sh [MINUTES] [ECRSPEC]     # 60 minutes; a release build, by default target/release/ecrspec
#
# Linux: it reads /proc.
set -euo pipefail
cd "$(dirname "$0")/.."
minutes=${1:-60}
ecrspec=$(realpath "${2:-target/release/ecrspec}")
work=$(mktemp -d)
"$ecrspec" mock --port 0 --service ecr >"$work/mock" &
mock=$!
search=
trap 'kill "$mock" $search 2>/dev/null || true; rm -rf "$work"' EXIT
until grep -q 'on http' "$work/mock"; do sleep 0.1; done
endpoint=$(grep -o 'http://[0-9.:]*' "$work/mock")

(cd "$work" && exec "$ecrspec" fuzz --service ecr --endpoint "$endpoint" --jobs 16 --budget "${minutes}m" --seed 1 \
    --report "ndjson=$work/log" >"$work/out" 2>&1) &
search=$!

# How many MiB a process has in memory now.
resident() {
    awk '/^VmRSS:/ { printf "%d", $2 / 1024 }' "/proc/$1/status" 2>/dev/null || true
}

# How many calls the search has made, as its log says each second.
calls() {
    { grep -a '"event":"searched"' "$work/log" || true; } | tail -n 1 | sed -n 's/.*"calls":\([0-9]*\).*/\1/p'
}

echo "| seconds | search, MiB | mock, MiB | calls | calls/s |"
echo "| ---: | ---: | ---: | ---: | ---: |"
before=0
for ((second = 10; ; second += 10)); do
    sleep 10
    kill -0 "$search" 2>/dev/null || break
    now=$(calls)
    now=${now:-0}
    memory=$(resident "$search")
    [ -n "$memory" ] || break
    echo "| $second | $memory | $(resident "$mock") | $now | $(((now - before) / 10)) |" | tee -a "$work/rows"
    before=$now
done
code=0
wait "$search" || code=$?
search=
tail -n 1 "$work/out"
# The first third grows what grows once: arenas, novelty, connections.
awk -F'|' -v rows="$(wc -l <"$work/rows")" '
    NR > rows / 3 && NR <= 2 * rows / 3 { memory[0] += $3; mock[0] += $4; rate[0] += $6; count[0]++ }
    NR > 2 * rows / 3 { memory[1] += $3; mock[1] += $4; rate[1] += $6; count[1]++ }
    END {
        if (!count[0] || !count[1]) { print "too short to compare"; exit }
        for (third = 0; third < 2; third++) { memory[third] /= count[third]; mock[third] /= count[third]; rate[third] /= count[third] }
        printf "last third beside the second: search %.2f, mock %.2f of its memory, %.2f of the rate\n",
            memory[1] / memory[0], mock[1] / mock[0], rate[1] / rate[0]
    }' "$work/rows"
exit "$code"
