"""Starts a ministack server with an empty account on a free port of 127.0.0.1.

The first line it prints is its port. It ends, with all the functions it has started, when its standard input ends.

A function inherits this process's environment. So variables such as `AWS_ENDPOINT_URL_EC2` make the functions of a
stack call other emulators, and the template does not have to change.
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
import threading
import urllib.request

listener = socket.create_server(("127.0.0.1", 0))
address = f"http://127.0.0.1:{listener.getsockname()[1]}"
scratch = tempfile.TemporaryDirectory(prefix="ministack-")

# ministack reads these when it is imported. AUTH makes it enforce policies. A wait scale of 0 skips the waits of Wait
# and Retry.
os.environ |= {
    "AUTH": "true",
    "AWS_ENDPOINT_URL": address,
    "GATEWAY_PORT": str(listener.getsockname()[1]),
    "IOT_MTLS_ENABLED": "0",
    "LOG_LEVEL": "ERROR",
    "MINISTACK_ACCOUNT_ID": "123456789012",
    "MINISTACK_HOST": "127.0.0.1",
    "MINISTACK_REGION": "eu-central-1",
    "SFN_WAIT_SCALE": "0",
    "SFTP_ENABLED": "0",
    "STATE_DIR": scratch.name,
    "TMPDIR": scratch.name,
}
tempfile.tempdir = scratch.name

from hypercorn.asyncio import serve  # noqa: E402
from hypercorn.config import Config  # noqa: E402
from ministack.app import app  # noqa: E402
from ministack.core import iam_actions  # noqa: E402
from ministack.services import eventbridge, stepfunctions  # noqa: E402
from ministack.services.cloudformation import provisioners  # noqa: E402

extract_resource_arn = iam_actions.extract_resource_arn
put_events = eventbridge._put_events
run_sub_machine = stepfunctions._run_sub_machine
execute_task = stepfunctions._execute_task



def run_branch(states, start_at, given, execution, context):
    """In ministack parallel branches share one context object and see each other's `$$.State`. In AWS they do not."""
    return run_sub_machine(states, start_at, given, execution, dict(context))


def execute_task_of_branch(state, given, execution, context):
    """ministack does not know `TimeoutSecondsPath`, the time to wait for an answer. Here a minute of it is one second.
    ministack also omits the states of branches from the history."""
    if path := state.get("TimeoutSecondsPath"):
        state = state | {"TimeoutSeconds": stepfunctions._resolve_path(path, given) / 60}
    entered = {"name": context["State"]["Name"], "input": json.dumps(given)}
    if execution["events"][-1].get("stateEnteredEventDetails") != entered:
        stepfunctions._add_event(execution, "TaskStateEntered", {"stateEnteredEventDetails": entered})
    return execute_task(state, given, execution, context)


def resource_of(service, *request, **more):
    """ministack assumes the group `default` for every schedule. The stack's schedules are in the group `fleetwright`."""
    return extract_resource_arn(service, *request, **more).replace(":schedule/default/", ":schedule/fleetwright/")


def systems_manager(operation, members):
    """Calls Systems Manager at its own endpoint."""
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AmazonSSM.{operation}"}
    request = urllib.request.Request(os.environ["AWS_ENDPOINT_URL_SSM"], json.dumps(members).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def create_document(logical_id, properties, stack):
    """ministack's CloudFormation has no SSM documents. This one goes to the endpoint that runs commands."""
    name = properties["Name"]
    systems_manager("CreateDocument", {"Name": name, "Content": json.dumps(properties["Content"])})
    return name, {}


def delete_document(name, properties):
    systems_manager("DeleteDocument", {"Name": name})


iam_actions.extract_resource_arn = resource_of
# In these emulators CloudWatch and EC2 send no events to EventBridge. The tests send them, which AWS allows only its
# services.
eventbridge._put_events = lambda data, allow_aws_source=True: put_events(data, True)
stepfunctions._run_sub_machine = run_branch
stepfunctions._execute_task = execute_task_of_branch
provisioners._RESOURCE_HANDLERS["AWS::SSM::Document"] = {"create": create_document, "delete": delete_document}

config = Config()
config.bind = [f"fd://{listener.fileno()}"]
config.loglevel = "ERROR"


async def main():
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch():
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    await serve(app, config, shutdown_trigger=ended.wait)


asyncio.run(main())
