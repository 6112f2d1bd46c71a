"""Builds and inspects fleets with boto3, a client that the product does not use.

    fleet.py build NAME      builds the fleet of samplconfig.toml under NAME, and resources of others; prints the ids
    fleet.py database NAME   creates an RDS instance with the data of the fleet NAME; prints its identifier
    fleet.py inspect         prints the current state of the account

Each prints one JSON object. AWS_ENDPOINT_URL and its variants for single services give the addresses of the services.
"""

import json
import sys

import boto3
from boto3.dynamodb.types import TypeDeserializer

ACCOUNT = "123456789012"
REGION = "eu-central-1"
ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
BYSTANDER = {"Key": "service", "Value": "billing"}
TABLE = "fleetwright"


class Account:
    def __getattr__(self, service):
        # The account's number is also the access key of its root user, for emulators that check keys.
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "test"}
        made = boto3.client(service, region_name=REGION, **keys)
        setattr(self, service, made)
        return made


def build(aws, name):
    fleet, in_service = {"Key": "fleetwright:fleet", "Value": name}, {"Key": "high-availability", "Value": name}
    profile, alarm = f"{name}-member", f"{name}-5xx"
    vpc = aws.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        {
            "id": aws.ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"],
            "zone": zone,
        }
        for number, zone in enumerate(ZONES)
    ]
    group = aws.ec2.create_security_group(GroupName=name, Description="members", VpcId=vpc)["GroupId"]
    make_profile(aws, profile)
    image = golden_image(aws, name, fleet, subnets[0]["id"], group)
    members = [launch(aws, image, subnet["id"], group, [fleet, in_service], profile) for subnet in subnets]
    bystanders = [launch(aws, image, subnet["id"], group, [BYSTANDER]) for subnet in subnets[:2]]
    server = data_server(aws, image, subnets[0], group, name)
    target_group = make_target_group(aws, name, vpc, members)
    bystanders_group = make_target_group(aws, f"{name}-billing", vpc, bystanders[:1])
    balance(aws, name, subnets, group, target_group)
    make_alarm(aws, alarm)
    if TABLE not in aws.dynamodb.list_tables()["TableNames"]:
        make_table(aws)
    return {
        "fleet": name,
        "vpc": vpc,
        "subnets": subnets,
        "security_group": group,
        "instance_profile": profile,
        "image": image,
        "members": members,
        "bystanders": bystanders,
        "data_server": server,
        "target_group": target_group,
        "bystanders_target_group": bystanders_group,
        "table": TABLE,
        "alarm": alarm,
    }


def make_profile(aws, profile):
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    aws.iam.create_role(RoleName=profile, AssumeRolePolicyDocument=json.dumps(trust))
    aws.iam.create_instance_profile(InstanceProfileName=profile)
    aws.iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=profile)


def golden_image(aws, name, fleet, subnet, group):
    """The image of an instance that was set up by hand and then terminated."""
    stock = aws.ec2.describe_images(Filters=[{"Name": "architecture", "Values": ["x86_64"]}])["Images"][0]["ImageId"]
    client = launch(aws, stock, subnet, group, [{"Key": "Name", "Value": "client"}])
    image = aws.ec2.create_image(
        InstanceId=client,
        Name=f"{name}-1.3.8",
        TagSpecifications=[
            {"ResourceType": "image", "Tags": [fleet, {"Key": "fleetwright:version", "Value": "1.3.8"}]},
            {"ResourceType": "snapshot", "Tags": [fleet]},
        ],
    )["ImageId"]
    aws.ec2.terminate_instances(InstanceIds=[client])
    return image


def launch(aws, image, subnet, group, tags, profile=None):
    return aws.ec2.run_instances(
        ImageId=image,
        InstanceType="c6i.large",
        SubnetId=subnet,
        SecurityGroupIds=[group],
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        **({"IamInstanceProfile": {"Name": profile}} if profile else {}),
    )["Instances"][0]["InstanceId"]


def data_server(aws, image, subnet, group, name):
    """A server with the fleet's data on a second volume."""
    server = launch(aws, image, subnet["id"], group, [data_of(name)])
    volume = aws.ec2.create_volume(AvailabilityZone=subnet["zone"], Size=100)["VolumeId"]
    aws.ec2.attach_volume(VolumeId=volume, InstanceId=server, Device="/dev/sdf")
    return server


def database(aws, name):
    made = aws.rds.create_db_instance(
        DBInstanceIdentifier=f"{name}-db",
        DBInstanceClass="db.t3.medium",
        Engine="mariadb",
        EngineVersion="10.11.8",
        AllocatedStorage=20,
        MasterUsername="root",
        MasterUserPassword="not-a-secret",
        Tags=[data_of(name)],
    )
    return {"db_instance": made["DBInstance"]["DBInstanceIdentifier"]}


def data_of(name):
    return {"Key": "fleetwright:data-of", "Value": name}


def make_target_group(aws, name, vpc, instances):
    arn = aws.elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    aws.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance} for instance in instances])
    return arn


def balance(aws, name, subnets, group, target_group):
    balancer = aws.elbv2.create_load_balancer(
        Name=name, Subnets=[subnet["id"] for subnet in subnets], SecurityGroups=[group]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    aws.elbv2.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
    )


def make_table(aws):
    keys = {"pk": "HASH", "sk": "RANGE"}
    aws.dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
    )


def make_alarm(aws, name):
    aws.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=10,
        ComparisonOperator="GreaterThanThreshold",
    )


def inspect(aws):
    return {
        "instances": [
            seen_instance(instance)
            for page in aws.ec2.get_paginator("describe_instances").paginate()
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        ],
        "images": [seen_image(image) for image in aws.ec2.describe_images(Owners=["self"])["Images"]],
        "snapshots": [
            {
                "id": snapshot["SnapshotId"],
                "state": snapshot["State"],
                "volume": snapshot["VolumeId"],
                "tags": tags(snapshot),
            }
            for snapshot in aws.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
            if snapshot["OwnerId"] == ACCOUNT  # moto lists snapshots of other owners too
        ],
        "volumes": {
            attached["VolumeId"]: attached["InstanceId"]
            for volume in aws.ec2.describe_volumes()["Volumes"]
            for attached in volume["Attachments"]
        },
        "db_snapshots": [
            {
                "id": snapshot["DBSnapshotIdentifier"],
                "state": snapshot["Status"],
                "of": snapshot["DBInstanceIdentifier"],
                "tags": tags({"Tags": snapshot["TagList"]}),
            }
            for snapshot in aws.rds.describe_db_snapshots(SnapshotType="manual")["DBSnapshots"]
        ],
        "targets": {
            group["TargetGroupArn"]: seen_targets(aws, group["TargetGroupArn"])
            for group in aws.elbv2.describe_target_groups()["TargetGroups"]
        },
        "items": [
            seen_record(plain(item))
            for table in aws.dynamodb.list_tables()["TableNames"]
            for page in aws.dynamodb.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        ],
    }


def seen_record(item):
    return json.loads(item.pop("record")) | item


def seen_instance(instance):
    return {
        "id": instance["InstanceId"],
        "state": instance["State"]["Name"],
        "image": instance["ImageId"],
        "type": instance["InstanceType"],
        "subnet": instance.get("SubnetId"),
        "zone": instance["Placement"]["AvailabilityZone"],
        "profile": instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2],
        "tags": tags(instance),
    }


def seen_image(image):
    disks = [mapping["Ebs"] for mapping in image["BlockDeviceMappings"] if "Ebs" in mapping]
    return {
        "id": image["ImageId"],
        "name": image["Name"],
        "state": image["State"],
        "tags": tags(image),
        "snapshots": [disk["SnapshotId"] for disk in disks if disk.get("SnapshotId")],
    }


def seen_targets(aws, group):
    """Health by instance."""
    seen = aws.elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {target["Target"]["Id"]: target["TargetHealth"]["State"] for target in seen}


def tags(resource):
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def plain(item):
    """An item as JSON. Sets become sorted lists, and numbers become JSON numbers."""

    def value(of):
        if isinstance(of, dict):
            return {key: value(inner) for key, inner in of.items()}
        if isinstance(of, list):
            return [value(inner) for inner in of]
        if isinstance(of, set):
            return sorted(map(value, of))
        if isinstance(of, (str, bool)) or of is None:
            return of
        if isinstance(of, bytes) or not hasattr(of, "as_tuple"):
            return str(of)
        return int(of) if of == of.to_integral_value() else float(of)

    return {key: value(TypeDeserializer().deserialize(of)) for key, of in item.items()}


def main():
    _, action, *arguments = sys.argv
    done = {"build": build, "database": database, "inspect": inspect}[action](Account(), *arguments)
    print(json.dumps(done, indent=1))


main()
