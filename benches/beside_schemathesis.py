"""How long ecrspec and Schemathesis take to test one service, and which faults each finds.

Schemathesis is given an OpenAPI description of the five operations of the layer-upload API, made here from the service
model that botocore has: members, lengths, patterns, what is required, the types of errors; an example of each repository
name; links from an upload to its parts and its completion. What it reports of the reference server without a fault counts
for nothing: only more than that is a fault found.

    beside_schemathesis.py ECRSPEC ST [EVERY]    # every so many faults of the mock are tried; 20 by default
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

import botocore.loaders

OPERATIONS = [
    "BatchCheckLayerAvailability",
    "CompleteLayerUpload",
    "GetDownloadUrlForLayer",
    "InitiateLayerUpload",
    "UploadLayerPart",
]
REPOSITORY = "bench"
TARGET = "AmazonEC2ContainerRegistry_V20150921"


# The protocol's content type is JSON to Schemathesis.
HOOKS = """
import schemathesis

schemathesis.serializer.alias("application/x-amz-json-1.1", "application/json")


@schemathesis.deserializer("application/x-amz-json-1.1")
def of_json(ctx, response):
    return response.json()
"""


def schema(model, name, is_answer=False):
    """The JSON Schema of a shape."""
    shape = model["shapes"][name]
    kind = shape["type"]
    if kind == "structure":
        members = {key: schema(model, member["shape"], is_answer) for key, member in shape["members"].items()}
        closed = {"type": "object", "properties": members}
        return closed if is_answer else closed | {"required": shape.get("required", [])}
    if kind == "list":
        limits = {"min": "minItems", "max": "maxItems"}
        return {"type": "array", "items": schema(model, shape["member"]["shape"], is_answer)} | limited(shape, limits)
    if kind in ("integer", "long"):
        return {"type": "integer"} | limited(shape, {"min": "minimum", "max": "maximum"})
    if kind == "blob":
        # Not as long as it may be: 20 MiB each time would measure something else.
        return {"type": "string", "pattern": "^([A-Za-z0-9+/]{4}){0,16}$"}
    if "enum" in shape:
        return {"type": "string", "enum": shape["enum"]}
    text = {"type": "string"} | limited(shape, {"min": "minLength", "max": "maxLength"})
    return text | ({"pattern": f"^(?:{shape['pattern']})$"} if "pattern" in shape else {})


def limited(shape, names):
    return {names[key]: shape[key] for key in names if key in shape}


def description():
    """The operations as OpenAPI. Each has a path of its own, since OpenAPI has one operation a path and method."""
    model = botocore.loaders.Loader().load_service_model("ecr", "service-2")
    error = {"type": "object", "properties": {"__type": {"type": "string"}, "message": {"type": "string"}}, "required": ["__type"]}
    paths = {}
    for name in OPERATIONS:
        operation = model["operations"][name]
        body = schema(model, operation["input"]["shape"])
        body["properties"]["repositoryName"]["example"] = REPOSITORY
        follow = {}
        if name == "InitiateLayerUpload":
            of_upload = {"repositoryName": REPOSITORY, "uploadId": "$response.body#/uploadId"}
            follow = {
                "part": {"operationId": "UploadLayerPart", "requestBody": of_upload | {"partFirstByte": 0, "partLastByte": 2, "layerPartBlob": "AAAA"}},
                "complete": {"operationId": "CompleteLayerUpload", "requestBody": of_upload | {"layerDigests": ["sha256:" + "0" * 64]}},
            }
        content = lambda of: {"application/x-amz-json-1.1": {"schema": of}}
        answer = schema(model, operation["output"]["shape"], is_answer=True)
        paths[f"/{name}"] = {
            "post": {
                "operationId": name,
                "parameters": [{"name": "X-Amz-Target", "in": "header", "required": True, "schema": {"type": "string", "enum": [f"{TARGET}.{name}"]}}],
                "requestBody": {"required": True, "content": content(body)},
                "responses": {
                    "200": {"description": "success", "content": content(answer), "links": follow},
                    "400": {"description": "an error", "content": content(error)},
                },
            }
        }
    return {"openapi": "3.1.0", "info": {"title": "layer upload", "version": "1"}, "paths": paths}


class Mock:
    """The reference server, with a fault or without."""

    def __init__(self, ecrspec, *arguments):
        self.process = subprocess.Popen([ecrspec, "mock", "--port", "0", "--service", "ecr", *arguments], stdout=subprocess.PIPE, text=True)
        while not (found := re.search(r"http://[0-9.]+:[0-9]+", self.process.stdout.readline())):
            pass
        self.endpoint = found.group()
        host, port = self.endpoint.removeprefix("http://").split(":")
        body = json.dumps({"repositoryName": REPOSITORY})
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {TARGET}.CreateRepository\r\nConnection: close\r\n"
            head += f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall((head + body).encode())
            connection.recv(4096)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def timed(command, folder):
    began = time.monotonic()
    hooked = os.environ | {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=hooked, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return time.monotonic() - began, done


def main():
    ecrspec, st, every = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 20
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "openapi.json").write_text(json.dumps(description()))
    (folder / "hooks.py").write_text(HOOKS)
    baseline = str(folder / "baseline.json")
    # What is valid by its members may name what is not there, and the protocol knows no status 405.
    no_failures = "positive_data_acceptance,unsupported_method"
    by_schemathesis = lambda endpoint: [
        *(st, "run", "openapi.json", "--url", endpoint, "--checks", "all", "--exclude-checks", no_failures),
        *("--continue-on-failure", "--seed", "1", "--baseline", baseline),
    ]
    by_ecrspec = lambda endpoint: [ecrspec, "run", "--service", "ecr", "--endpoint", endpoint]
    with Mock(ecrspec) as mock:
        # Twice: what chance shows in one run may not show in another.
        for _ in range(2):
            timed(by_schemathesis(mock.endpoint) + ["--baseline-update"], folder)
        theirs, done = timed(by_schemathesis(mock.endpoint), folder)
        print(f"schemathesis, no fault: exit {done.returncode}, {theirs:.1f} s", file=sys.stderr)
        ours, done = timed(by_ecrspec(mock.endpoint), folder)
        print(f"ecrspec, no fault: exit {done.returncode}, {ours:.1f} s", file=sys.stderr)
    listed = subprocess.run([ecrspec, "mock", "--fault", "list"], check=True, capture_output=True, text=True).stdout
    faults = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")][::every]
    found = {"schemathesis": 0, "ecrspec": 0}
    for fault in faults:
        row = []
        for tool, command in (("schemathesis", by_schemathesis), ("ecrspec", by_ecrspec)):
            with Mock(ecrspec, "--fault", fault) as mock:
                took, done = timed(command(mock.endpoint), folder)
            found[tool] += done.returncode == 1
            row.append(f"{tool} exit {done.returncode} in {took:.1f} s")
        print(f"{fault}: {', '.join(row)}", file=sys.stderr)
    print("| | ecrspec | Schemathesis | ratio |")
    print("| --- | ---: | ---: | ---: |")
    print(f"| one service, start to exit, s | {ours:.1f} | {theirs:.1f} | {ours / theirs:.2f} |")
    print(f"| faults found, of {len(faults)} | {found['ecrspec']} | {found['schemathesis']} | |")


if __name__ == "__main__":
    main()
