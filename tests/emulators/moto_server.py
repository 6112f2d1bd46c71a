"""Starts a moto server on a free port of 127.0.0.1.

The first line it prints is its port. It ends when its standard input ends.
"""

import json
import logging
import os
import sys
import threading
from pathlib import Path

# moto reads these when it is imported: one stock image instead of hundreds, and no launch of an unknown image or type.
os.environ["MOTO_AMIS_PATH"] = str(Path(__file__).with_name("stock-images.json"))
os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
os.environ["MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION"] = "true"

from cloudwatch_cbor import CloudWatchCbor  # noqa: E402
from moto.ec2.exceptions import EC2ClientError  # noqa: E402
from moto.ec2.models.amis import AmiBackend  # noqa: E402
from moto.ec2.responses.amis import AmisResponse  # noqa: E402
from moto.ec2.responses.instances import InstanceResponse  # noqa: E402
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402

create_image = AmiBackend.create_image
deregister_image = AmisResponse.deregister_image
run_instances = InstanceResponse.run_instances
launched = {}


def create_image_and_tag_snapshot(self, instance_id, name, description, tag_specifications):
    """moto answers 500 if the call has tags for the snapshot. AWS accepts them."""
    of_snapshot = [given for given in tag_specifications if given["ResourceType"] == "snapshot"]
    others = [given for given in tag_specifications if given["ResourceType"] != "snapshot"]
    image = create_image(self, instance_id, name, description, others)
    for tag in (tag for given in of_snapshot for tag in given["Tags"]):
        image.ebs_snapshot.add_tag(tag["Key"], tag["Value"])
    return image


def deregister_image_and_delete_snapshots(self):
    """moto keeps the snapshots of an image even if the call asks to delete them. AWS deletes them."""
    image = self.ec2_backend.amis.get(self._get_param("ImageId"))
    answer = deregister_image(self)
    if image and str(self._get_param("DeleteAssociatedSnapshots")).lower() == "true":
        self.ec2_backend.delete_snapshot(image.ebs_snapshot.id)
    return answer


def run_instances_once(self):
    """moto launches again for a known client token. AWS returns the existing instances, and rejects other parameters.
    With a subnet in the call, a token is valid in the subnet's zone."""
    token = self._get_param("ClientToken")
    if token is None:
        return run_instances(self)
    parameters = json.dumps(self.params, sort_keys=True, default=str)
    key = self.current_account, self.region, self._get_param("SubnetId"), token
    if key not in launched:
        launched[key] = parameters, run_instances(self)
    before, answer = launched[key]
    if before != parameters:
        raise EC2ClientError("IdempotentParameterMismatch", f"{token} was used with other parameters")
    return answer


class OneAtATime:
    """A WSGI application that answers one call at a time, because moto's state is not safe for concurrent calls."""

    def __init__(self, application):
        self.application, self.answering = application, threading.Lock()

    def __call__(self, environ, start_response):
        with self.answering:
            return self.application(environ, start_response)


AmiBackend.create_image = create_image_and_tag_snapshot
AmisResponse.deregister_image = deregister_image_and_delete_snapshots
InstanceResponse.run_instances = run_instances_once

logging.getLogger("werkzeug").setLevel(logging.ERROR)
application = OneAtATime(CloudWatchCbor(DomainDispatcherApplication(create_backend_app)))
server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=MotoRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
