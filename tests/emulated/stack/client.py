"""Talks to the stack through boto3, a client that nothing of the product uses.

    client.py call SERVICE OPERATION MEMBERS   makes one call; prints its answer
    client.py upgrade NAME INPUT               starts an execution of the upgrade and waits until it is over; prints how
                                               it ended, and what it ran

Both print one JSON object; {"refused": {"Code": ..., "Message": ...}} where AWS refuses. Who calls, and where AWS is, is
in the environment.
"""

import json
import sys
import time

import boto3
from botocore.exceptions import ClientError

STATE_MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:fleetwright-upgrade"


def call(service, operation, members):
    answer = getattr(boto3.client(service), operation)(**json.loads(members))
    answer.pop("ResponseMetadata")
    return {name: value.read().decode() if hasattr(value, "read") else value for name, value in answer.items()}


def upgrade(name, given):
    states = boto3.client("stepfunctions")
    execution = states.start_execution(stateMachineArn=STATE_MACHINE, name=name, input=given)["executionArn"]
    while (ended := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(0.1)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=execution)
    events = [event["type"] for page in pages for event in page["events"]]
    return {
        "status": ended["status"],
        "output": json.loads(ended.get("output") or "null"),
        "error": ended.get("error"),
        "cause": ended.get("cause"),
        "seconds": (ended["stopDate"] - ended["startDate"]).total_seconds(),
        "attempts": events.count("TaskScheduled"),
        "definition": states.describe_state_machine_for_execution(executionArn=execution)["definition"],
    }


def main():
    _, action, *arguments = sys.argv
    try:
        answer = {"call": call, "upgrade": upgrade}[action](*arguments)
    except ClientError as error:
        answer = {"refused": error.response["Error"]}
    print(json.dumps(answer, default=str))


main()
