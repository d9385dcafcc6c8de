#!/bin/sh
# Gates moto with the wheel: gate.sh WHEEL [FLAG...]. It is green, and red as soon as moto gets worse.
# PORT: where moto listens; 5001 without.
set -eu
wheel=$1 port=${PORT:-5001} known=$(cd "$(dirname "$0")" && pwd)/known.toml
shift

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "$wheel" 'moto[server,ecr]==5.2.5'
venv/bin/moto_server -H 127.0.0.1 -p "$port" >moto.log 2>&1 &
trap 'kill $!' EXIT
timeout 60 sh -c 'until curl -s -o /dev/null "$0"; do sleep 0.2; done' "http://127.0.0.1:$port"
venv/bin/ecrspec run --endpoint "http://127.0.0.1:$port" --auth dummy --service ecr --known "$known" "$@"
