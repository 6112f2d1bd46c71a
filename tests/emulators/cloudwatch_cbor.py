"""Lets moto answer CloudWatch clients with the Smithy RPC v2 CBOR protocol, such as the SDK for Rust.

moto knows CloudWatch's JSON protocol. The members are the same in both, so this module forwards each call in JSON. The
types of the answer, such as which numbers are times, come from the service model in boto3.
"""

import io
import json
from types import SimpleNamespace

import botocore.session
import cbor2
from botocore.parsers import create_parser

PATH = "/service/GraniteServiceVersion20100801/operation/"
MODEL = botocore.session.get_session().get_service_model("cloudwatch")


class CloudWatchCbor:
    """A WSGI application that translates calls for another one."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith(PATH):
            return self.application(environ, start_response)
        operation = path.removeprefix(PATH)
        seen = SimpleNamespace(status="", headers=[])

        def keep(status, headers, _=None):
            seen.status, seen.headers = status, headers

        answer = b"".join(self.application(in_json(environ, operation), keep))
        body = cbor2.dumps(typed(operation, seen, answer), datetime_as_timestamp=True)
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "Content-Length": str(len(body))}
        start_response(seen.status, list(headers.items()))
        return [body]


def in_json(environ, operation):
    sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    members = cbor2.loads(sent) if sent else {}
    body = json.dumps(members, default=lambda time: time.timestamp()).encode()
    return environ | {
        "PATH_INFO": "/",
        "RAW_URI": "/",
        "REQUEST_URI": "/",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_AMZ_TARGET": f"GraniteServiceVersion20100801.{operation}",
        "wsgi.input": io.BytesIO(body),
    }


def typed(operation, seen, answer):
    if not seen.status.startswith("200"):
        return json.loads(answer)
    response = {"status_code": 200, "headers": dict(seen.headers), "body": answer}
    members = create_parser("json").parse(response, MODEL.operation_model(operation).output_shape)
    members.pop("ResponseMetadata")
    return members
