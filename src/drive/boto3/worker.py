"""Makes calls through boto3: reads one JSON object a line, and writes one a line.

The first line has the settings; what it is answered says that calls can be made. Each further line is a call, and is
answered with what boto3 made of it. Nothing is judged here. Where boto3 raises an exception over a response that it
cannot read, the members are those of the JSON that came, so that the server is judged by what it sent.
"""
import base64
import datetime
import json
import math
import sys

# A file json.py in the current folder is no module of ours.
sys.path[:] = [folder for folder in sys.path if folder]

import boto3
import botocore
from botocore import exceptions, xform_name
from botocore.config import Config

LONGEST = 48 << 20  # bytes of an answer
EXACT = 1 << 63


def bounded_memory():
    """A response without end ends the call, and not the machine."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    except (ImportError, OSError, ValueError):
        pass


def plain(value):
    """A value as JSON that every reader takes."""
    if isinstance(value, dict):
        return {plain(str(name)): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode("ascii")
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -EXACT <= value < EXACT:
        return str(value)
    return value


def causes(error):
    """An exception, and those that led to it."""
    seen, left = [], [error]
    while left:
        one = left.pop()
        if not isinstance(one, BaseException) or any(one is other for other in seen):
            continue
        seen.append(one)
        left += [one.__cause__, one.__context__, getattr(one, "reason", None)]
        left += list(getattr(one, "kwargs", {}).values()) + list(one.args)
    return seen


CERTIFICATE = {
    9: "certificate-not-yet-valid",
    10: "certificate-expired",
    18: "unknown-issuer",
    19: "unknown-issuer",
    20: "unknown-issuer",
    21: "unknown-issuer",
    23: "certificate-revoked",
    62: "certificate-of-another-host",
    64: "certificate-of-another-host",
}


def trouble(error):
    """Why there is no response, as the event log has it; None if that is not why the call failed."""
    import http.client
    import socket
    import ssl

    chain = causes(error)

    def has(*kinds):
        return any(isinstance(one, kinds) for one in chain)

    if has(MemoryError):
        return "too-large"
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return CERTIFICATE.get(one.verify_code, "certificate-rejected")
    if has(ssl.SSLError) or has(exceptions.SSLError):
        told = " ".join(str(one) for one in chain)
        return "not-tls" if "WRONG_VERSION_NUMBER" in told or "RECORD_LAYER" in told else "handshake-failed"
    if has(exceptions.ReadTimeoutError):
        return "silent"
    if has(exceptions.ConnectTimeoutError):
        return "timed-out"
    if has(exceptions.EndpointConnectionError):
        if has(ConnectionRefusedError):
            return "refused"
        if has(socket.gaierror):
            return "name-not-resolved"
        if any(isinstance(one, OSError) and one.errno in (101, 113) for one in chain):
            return "no-route"
        return "unreachable"
    if has(http.client.BadStatusLine, http.client.LineTooLong, http.client.UnknownProtocol):
        return "dropped" if has(http.client.RemoteDisconnected) else "garbage"
    if has(exceptions.HTTPClientError, ConnectionError, http.client.HTTPException):
        return "dropped"
    return None


def words(error):
    """What whoever calls boto3 reads of an exception."""
    return plain(f"{type(error).__name__}: {error}"[:1000])


class Calls:
    def __init__(self, settings):
        self.settings = settings
        self.clients = {}
        self.sent = False
        self.response = None

    def client(self, service, read):
        if (service, read) not in self.clients:
            client = boto3.session.Session().client(
                service,
                region_name=self.settings["region"],
                endpoint_url=self.settings["endpoint"],
                verify=self.settings["verify"],
                config=Config(
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    connect_timeout=self.settings["connect"],
                    read_timeout=read,
                    proxies={},
                    user_agent_extra="ecrspec",
                ),
            )
            client.meta.events.register("before-send", self.before_send)
            client.meta.events.register("before-parse", self.before_parse)
            # By the names of the protocol, which are those of the calls.
            known = client.meta.service_model.operation_names
            self.clients[service, read] = client, {name: xform_name(name) for name in known}
        return self.clients[service, read]

    def before_send(self, **_):
        self.sent = True

    def before_parse(self, response_dict, **_):
        self.response = response_dict

    def members(self, client, call):
        """The members as boto3 takes them: bytes where the protocol has base64."""
        model = client.meta.service_model.operation_model(call["operation"])
        shapes = model.input_shape.members if model.input_shape else {}
        members = dict(call["members"])
        for name, value in members.items():
            if name in shapes and shapes[name].type_name == "blob" and isinstance(value, str):
                members[name] = base64.b64decode(value)
        return members

    def make(self, call):
        self.sent, self.response = False, None
        try:
            client, methods = self.client(call["service"], call["read"])
            method = getattr(client, methods[call["operation"]])
            members = self.members(client, call)
            parsed = method(**members)
        except exceptions.ClientError as error:
            return self.failed(error)
        except Exception as error:
            return self.broke(error)
        status = parsed.pop("ResponseMetadata", {}).get("HTTPStatusCode")
        return {"success": plain(parsed), "status": status}

    def failed(self, error):
        response = dict(error.response)
        metadata = response.pop("ResponseMetadata", {})
        told = response.pop("Error", {})
        status = metadata.get("HTTPStatusCode")
        code, message = told.get("Code"), told.get("Message")
        if not isinstance(code, str) or code == str(status):
            code = None  # botocore puts the status in the place of a type that it does not find.
        return {
            "error": {
                "name": plain(code) if code else None,
                "message": plain(message) if isinstance(message, str) and message else None,
                "members": plain(response),
            },
            "status": status,
            "words": words(error),
        }

    def broke(self, error):
        why = trouble(error)
        if why is not None and self.response is None:
            return {"trouble": why, "words": words(error)}
        if not self.sent:
            return {"refused": words(error)}
        if self.response is None:
            return {"trouble": "dropped", "words": words(error)}
        # There was a response, and boto3 could not read it.
        status = self.response["status_code"]
        try:
            body = json.loads(self.response["body"].decode("utf-8"))
        except Exception:
            body = None
        if status < 300:
            return {"success": plain(body) if isinstance(body, dict) else None, "status": status, "words": words(error)}
        members = plain(body) if isinstance(body, dict) else {}
        return {"error": {"name": None, "message": None, "members": members}, "status": status, "words": words(error)}


def say(answer):
    line = json.dumps(answer, allow_nan=False)
    if len(line) > LONGEST:
        line = json.dumps({"trouble": "too-large", "words": "a response that is too large"})
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main():
    bounded_memory()
    calls = Calls(json.loads(sys.stdin.readline()))
    say({"boto3": boto3.__version__, "botocore": botocore.__version__})
    for line in sys.stdin:
        try:
            answer = calls.make(json.loads(line))
            say(answer)
        except Exception as error:
            say({"broken": words(error)})


main()
