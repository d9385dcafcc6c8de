#!/usr/bin/env bash
# The pictures of docs/src/reports.md, made again: moto's run and a clean one, as chromium shows their reports.
#
# It takes chromium, pngquant, and moto_server (pip install 'moto[server,ecr]==5.2.5') on PATH or in MOTO_SERVER.
set -euo pipefail
cd "$(dirname "$0")/.."
pages=$PWD/target/pictures
pictures=$PWD/docs/src/pictures
endpoint=http://127.0.0.1:${PORT:-5001}
mkdir -p "$pages" "$pictures"
cargo build --locked --quiet

"${MOTO_SERVER:-moto_server}" -H 127.0.0.1 -p "${PORT:-5001}" >"$pages/moto.log" 2>&1 &
server=$!
trap 'kill "$server"' EXIT
timeout 60 sh -c "until curl -s -o /dev/null $endpoint; do sleep 1; done"
# Of findings, the exit code is 1; anything else is no picture.
code=0
target/debug/ecrspec run --endpoint "$endpoint" --auth dummy --service ecr --report html="$pages/moto.html" >/dev/null || code=$?
test "$code" -eq 1
target/debug/ecrspec run --report html="$pages/clean.html" >/dev/null

ECRSPEC_PAGES=$pages ECRSPEC_PICTURES=$pages \
    cargo test --locked --quiet --test integration html::pictures_of_the_guide -- --exact --ignored
for picture in report-moto finding-moto report-clean; do
    # A page has few colours: fewer of them make a smaller file, and no other picture.
    pngquant --force --strip --output "$pictures/$picture.png" 48 "$pages/$picture.png"
done
ls -l "$pictures"
