"""Emulates Systems Manager: Run Command runs the real script, which gives a real verdict.

    ssm_endpoint.py [--configure SCRIPT] --stub DOCKER --compose FILE --work DIRECTORY [--migrate fails[:VERSION]]

It knows one document, `fleetwright-configure`: the script itself, or the content from CreateDocument. It runs the
document with the command's parameters, once for each instance of the command. An instance is a directory with its own
compose file and a stub for `docker`. The first command that names it creates it. The answers have the script's real
output, exit status and state. Unknown operations, members and parameters are errors.

The first line it prints is its port on 127.0.0.1. It ends, with its child processes, when its standard input ends.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DOCUMENT = "fleetwright-configure"
PLUGIN = "configure"
OPTIONS = {"Version": "--version", "From": "--from", "Run": "--run"}
STDOUT_LIMIT, STDERR_LIMIT, LISTED_OUTPUT_LIMIT = 24_000, 8_000, 2_500
COMMENT_LIMIT, INSTANCES_LIMIT = 100, 50
INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")


class Refused(Exception):
    """An error response of the service."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Script:
    """The script itself, called with the arguments that the document passes."""

    def __init__(self, path):
        self.path = path

    def check(self, parameters):
        if set(parameters) != set(OPTIONS) or any(len(values) != 1 for values in parameters.values()):
            raise Refused("InvalidParameters", f"expected one value each for {', '.join(OPTIONS)}, not {parameters}")

    def call(self, parameters, _):
        return [self.path, *(part for name, option in OPTIONS.items() for part in (option, parameters[name][0]))]


class Document:
    """A document with one step, `aws:runShellScript`, as the agent runs it."""

    def __init__(self, content):
        self.declared = content["parameters"]
        [step] = content["mainSteps"]
        if (content["schemaVersion"], step["action"], step["name"]) != ("2.2", "aws:runShellScript", PLUGIN):
            raise Refused("InvalidDocumentContent", f"unknown here: {step['action']} {step['name']}")
        self.lines = step["inputs"]["runCommand"]

    def check(self, parameters):
        if set(parameters) != set(self.declared):
            raise Refused("InvalidParameters", f"expected one value each for {', '.join(self.declared)}, not {parameters}")
        for name, values in parameters.items():
            pattern = self.declared[name]["allowedPattern"]
            if not (len(values) == 1 and re.fullmatch(pattern, values[0])):
                raise Refused("InvalidParameters", f"{name} must be one value that matches {pattern}, not {values}")

    def call(self, parameters, directory):
        script = "\n".join(self.lines)
        for name, [value] in parameters.items():
            script = re.sub(r"\{\{ *" + name + r" *\}\}", lambda _, value=value: value, script)
        file = directory / f"{uuid.uuid4()}.sh"
        file.write_text(script)
        file.chmod(0o700)
        return ["sh", "-c", str(file)]


class Invocation:
    """One command on one instance."""

    def __init__(self, command, instance):
        self.command, self.instance = command, instance
        self.status, self.exit_status = "Pending", -1
        self.stdout = self.stderr = ""
        self.started = self.ended = None
        self.process = None
        self.cancelled = False
        self.lock = threading.Lock()

    def run(self, fleet):
        directory = fleet.sandbox(self.instance)
        call = self.command.document.call(self.command.parameters, directory)
        migrate = fleet.migrate if self.command.parameters["Version"][0].startswith(fleet.of) else "succeeds"
        (directory / "docker" / "migrate").write_text(migrate)
        with self.lock:
            if self.cancelled:
                return
            self.started = time.time()
            self.process = subprocess.Popen(
                call,
                cwd=directory,
                env=fleet.environment(directory),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            self.status = "InProgress"
        stdout, stderr = self.process.communicate()
        with self.lock:
            self.stdout, self.stderr = (text.decode(errors="replace") for text in (stdout, stderr))
            self.exit_status, self.ended = self.process.returncode, time.time()
            self.status = "Cancelled" if self.cancelled else "Failed" if self.exit_status else "Success"

    def cancel(self):
        with self.lock:
            if self.status not in ("Pending", "InProgress"):
                return
            self.cancelled = True
            if self.process is None:
                self.status = "Cancelled"
            else:
                self.status = "Cancelling"
                os.killpg(self.process.pid, signal.SIGKILL)


class Command:
    def __init__(self, document, request):
        self.id, self.document = str(uuid.uuid4()), document
        self.comment = request.get("Comment", "")
        self.parameters = request["Parameters"]
        self.requested = time.time()
        self.invocations = [Invocation(self, instance) for instance in request["InstanceIds"]]

    def status(self):
        statuses = {invocation.status for invocation in self.invocations}
        for status in ("InProgress", "Cancelling", "Pending", "Failed", "Cancelled"):
            if status in statuses:
                return status
        return "Success"

    def wire(self):
        done = [i for i in self.invocations if i.status in ("Success", "Failed", "Cancelled")]
        return {
            "CommandId": self.id,
            "DocumentName": DOCUMENT,
            "DocumentVersion": "$DEFAULT",
            "Comment": self.comment,
            "Parameters": self.parameters,
            "InstanceIds": [invocation.instance for invocation in self.invocations],
            "Targets": [],
            "RequestedDateTime": self.requested,
            "Status": self.status(),
            "StatusDetails": self.status(),
            "TargetCount": len(self.invocations),
            "CompletedCount": len(done),
            "ErrorCount": sum(i.status == "Failed" for i in done),
        }


class Fleet:
    """The instances, and the commands that were sent to them."""

    def __init__(self, options):
        self.work, self.compose, self.stub = Path(options.work), options.compose, options.stub
        self.migrate, _, self.of = options.migrate.partition(":")
        self.documents = {DOCUMENT: Script(options.configure)} if options.configure else {}
        self.commands = {}
        self.lock = threading.Lock()

    def sandbox(self, instance):
        directory = self.work / instance
        with self.lock:
            if not directory.exists():
                for part in ("appwrite", "bin", "docker"):
                    (directory / part).mkdir(parents=True)
                shutil.copy(self.compose, directory / "appwrite" / "docker-compose.yml")
                (directory / "bin" / "docker").symlink_to(self.stub)
        return directory

    @staticmethod
    def environment(directory):
        return {
            "PATH": f"{directory}/bin:{os.environ['PATH']}",
            "HOME": str(directory),
            "DOCKER_STUB": f"{directory}/docker",
            "FLEETWRIGHT_APPWRITE_DIR": f"{directory}/appwrite",
            "FLEETWRIGHT_STATE_DIR": f"{directory}/state",
            "FLEETWRIGHT_SHARE_DIR": f"{directory}/share",
            "FLEETWRIGHT_UNIT_DIR": f"{directory}/units",
            "FLEETWRIGHT_SYSTEMD_DIR": f"{directory}/no-systemd",
        }

    def command(self, command_id, error="InvalidCommandId"):
        if command_id not in self.commands:
            raise Refused(error, f"there is no command {command_id}")
        return self.commands[command_id]

    def newest_first(self):
        return sorted(self.commands.values(), key=lambda command: command.requested, reverse=True)

    def end(self):
        for command in self.commands.values():
            for invocation in command.invocations:
                invocation.cancel()

    # One method for each operation of the service, under the operation's name.

    def CreateDocument(self, request):
        known(request, "Name", "Content")
        if request["Name"] != DOCUMENT or DOCUMENT in self.documents:
            raise Refused("DocumentAlreadyExists", f"only {DOCUMENT} can be created here, and only once")
        self.documents[DOCUMENT] = Document(json.loads(request["Content"]))
        return {}

    def DeleteDocument(self, request):
        known(request, "Name")
        if self.documents.pop(request["Name"], None) is None:
            raise Refused("InvalidDocument", f"there is no document {request['Name']}")
        return {}

    def DescribeInstanceInformation(self, request):
        known(request, "Filters", "MaxResults", "NextToken")
        instances = []
        for wanted in request.get("Filters", []):
            if wanted["Key"] != "InstanceIds":
                raise Refused("InvalidFilterKey", f"the filter {wanted['Key']} is unknown here")
            instances += wanted["Values"]
        if not instances:
            raise Refused("ValidationException", "name the instances in a filter: every named instance is online")
        check_instances(instances)
        found = [
            {"InstanceId": instance, "PingStatus": "Online", "PlatformType": "Linux", "AgentVersion": "3.3.0.0"}
            for instance in instances
        ]
        return page(request, "InstanceInformationList", found)

    def SendCommand(self, request):
        known(request, "DocumentName", "InstanceIds", "Parameters", "Comment", "TimeoutSeconds")
        document = self.documents.get(request.get("DocumentName"))
        if document is None:
            raise Refused("InvalidDocument", f"there is no document {request.get('DocumentName')}")
        check_instances(request.get("InstanceIds", []))
        if not 1 <= len(request["InstanceIds"]) <= INSTANCES_LIMIT:
            raise Refused("ValidationException", f"expected 1 to {INSTANCES_LIMIT} instances, not {len(request['InstanceIds'])}")
        if len(request.get("Comment", "")) > COMMENT_LIMIT:
            raise Refused("ValidationException", f"a comment has at most {COMMENT_LIMIT} characters")
        document.check(request.get("Parameters", {}))
        command = Command(document, request)
        self.commands[command.id] = command
        answer = command.wire()
        for invocation in command.invocations:
            threading.Thread(target=invocation.run, args=(self,), daemon=True).start()
        return {"Command": answer}

    def GetCommandInvocation(self, request):
        known(request, "CommandId", "InstanceId", "PluginName")
        command = self.command(request["CommandId"], "InvocationDoesNotExist")
        if request.get("PluginName", PLUGIN) != PLUGIN:
            raise Refused("InvalidPluginName", f"the document has one plugin, {PLUGIN}")
        for invocation in command.invocations:
            if invocation.instance == request["InstanceId"]:
                with invocation.lock:
                    return {
                        "CommandId": command.id,
                        "InstanceId": invocation.instance,
                        "Comment": command.comment,
                        "DocumentName": DOCUMENT,
                        "DocumentVersion": "$DEFAULT",
                        "PluginName": PLUGIN,
                        "ResponseCode": invocation.exit_status,
                        "ExecutionStartDateTime": iso(invocation.started),
                        "ExecutionEndDateTime": iso(invocation.ended),
                        "Status": invocation.status,
                        "StatusDetails": invocation.status,
                        "StandardOutputContent": invocation.stdout[:STDOUT_LIMIT],
                        "StandardErrorContent": invocation.stderr[:STDERR_LIMIT],
                    }
        raise Refused("InvocationDoesNotExist", f"{command.id} was not sent to {request['InstanceId']}")

    def ListCommands(self, request):
        known(request, "CommandId", "InstanceId", "Filters", "MaxResults", "NextToken")
        commands = [self.command(request["CommandId"])] if "CommandId" in request else self.newest_first()
        if "InstanceId" in request:
            commands = [c for c in commands if any(i.instance == request["InstanceId"] for i in c.invocations)]
        found = [command.wire() for command in commands]
        for wanted in request.get("Filters", []):
            if wanted["key"] not in ("DocumentName", "Status"):
                raise Refused("InvalidFilterKey", f"the filter {wanted['key']} is unknown here")
            found = [command for command in found if command[wanted["key"]] == wanted["value"]]
        return page(request, "Commands", found)

    def ListCommandInvocations(self, request):
        known(request, "CommandId", "InstanceId", "Details", "MaxResults", "NextToken")
        commands = [self.command(request["CommandId"])] if "CommandId" in request else self.newest_first()
        found = []
        for command in commands:
            for invocation in command.invocations:
                if request.get("InstanceId", invocation.instance) == invocation.instance:
                    found.append(self.listed(command, invocation, request.get("Details", False)))
        return page(request, "CommandInvocations", found)

    @staticmethod
    def listed(command, invocation, details):
        plugin = {
            "Name": PLUGIN,
            "Status": invocation.status,
            "StatusDetails": invocation.status,
            "ResponseCode": invocation.exit_status,
            "Output": invocation.stdout[:LISTED_OUTPUT_LIMIT],
        }
        return {
            "CommandId": command.id,
            "InstanceId": invocation.instance,
            "Comment": command.comment,
            "DocumentName": DOCUMENT,
            "RequestedDateTime": command.requested,
            "Status": invocation.status,
            "StatusDetails": invocation.status,
            "CommandPlugins": [plugin] if details else [],
        }

    def CancelCommand(self, request):
        known(request, "CommandId", "InstanceIds")
        command = self.command(request["CommandId"])
        wanted = request.get("InstanceIds") or [invocation.instance for invocation in command.invocations]
        for invocation in command.invocations:
            if invocation.instance in wanted:
                invocation.cancel()
        return {}


OPERATIONS = {name for name in vars(Fleet) if name[0].isupper()}


def known(request, *members):
    unknown = sorted(set(request) - set(members))
    if unknown:
        raise Refused("ValidationException", f"unknown members: {', '.join(unknown)}")


def check_instances(instances):
    for instance in instances:
        if not INSTANCE_ID.fullmatch(instance):
            raise Refused("InvalidInstanceId", f"{instance} is not an instance id")


def page(request, name, found):
    """At most 50 entries per page. The token is the index at which the next page begins."""
    size = request.get("MaxResults", 50)
    if not 1 <= size <= 50:
        raise Refused("ValidationException", f"MaxResults must be 1 to 50, not {size}")
    begin = int(request.get("NextToken", "0"))
    answer = {name: found[begin : begin + size]}
    if begin + size < len(found):
        answer["NextToken"] = str(begin + size)
    return answer


def iso(seconds):
    return "" if seconds is None else time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def handler(fleet):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            service, _, operation = self.headers.get("X-Amz-Target", "").partition(".")
            try:
                if service != "AmazonSSM" or operation not in OPERATIONS:
                    print(f"ssm_endpoint: {service}.{operation} is unknown here", file=sys.stderr, flush=True)
                    raise Refused("UnknownOperationException", f"{service}.{operation} is unknown here")
                self.answer(200, getattr(fleet, operation)(json.loads(body)))
            except Refused as refused:
                self.answer(400, {"__type": refused.code, "message": str(refused)})

        def answer(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser()
    for option in ("--stub", "--compose", "--work"):
        parser.add_argument(option, required=True)
    parser.add_argument("--configure")
    parser.add_argument("--migrate", default="succeeds", help="succeeds, fails or hangs, optionally with :VERSION")
    fleet = Fleet(parser.parse_args())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(fleet))
    print(server.server_port, flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    fleet.end()


main()
