"""Runs definitions with ministack's interpreter, in this process and without its server.

Each line of standard input is {"definition": …, "input": …}. For each, it prints a line {"seconds": …, "output": …}.
"""

import json
import os
import sys
import time

os.environ |= {"LOG_LEVEL": "ERROR", "SFN_WAIT_SCALE": "0"}

from ministack.services import stepfunctions  # noqa: E402

# Exclude the parts around the interpreter: a pause before each execution, and an event to EventBridge about it.
stepfunctions.time.sleep = lambda seconds: None
stepfunctions._emit_execution_status_event = lambda execution: None


def run(definition, given):
    arn = "arn:aws:states:us-east-1:123456789012:execution:M:run"
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:M"
    start = "2026-01-02T03:04:05.000Z"
    stepfunctions._state_machines[machine] = {"name": "M", "definition": json.dumps(definition)}
    execution = {"executionArn": arn, "stateMachineArn": machine, "name": "run", "status": "RUNNING", "startDate": start}
    execution |= {"input": json.dumps(given), "events": [{"id": 1, "type": "ExecutionStarted", "timestamp": start}]}
    stepfunctions._executions[arn] = execution
    start_time = time.perf_counter()
    stepfunctions._run_execution(arn)
    seconds = time.perf_counter() - start_time
    if execution["status"] != "SUCCEEDED":
        sys.exit(f"{execution.get('error')}: {execution.get('cause')}")
    return {"seconds": seconds, "output": json.loads(execution["output"])}


for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(run(request["definition"], request["input"])), flush=True)
