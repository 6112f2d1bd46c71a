//! JSON Schemas of the texts in a configuration: ids, names, versions, lengths of time and time zones.
//!
//! A pattern describes the documented form. The type may accept more, such as `5 minutes` for a length of time.

use crate::{
    DbInstanceId, FleetName, ImageId, InstanceId, InstanceType, LocalZone, SecurityGroupId, Span, SubnetId,
    TargetGroupArn, Version, Zone,
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

macro_rules! texts {
    ($($type:ident is $title:literal, $form:literal, $pattern:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "title": $title, "description": $form, "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

texts! {
    DbInstanceId is "RDS identifier", "1 to 63 letters, digits and `-`, starting with a letter",
        r"^[A-Za-z][A-Za-z0-9-]{0,62}$";
    FleetName is "fleet name", "1 to 32 lowercase letters, digits and `-`, starting with a letter",
        r"^[a-z][a-z0-9-]{0,31}$";
    ImageId is "image id", "`ami-` and 8 or 17 hexadecimal digits", r"^ami-([0-9a-f]{8}|[0-9a-f]{17})$";
    InstanceId is "instance id", "`i-` and 8 or 17 hexadecimal digits", r"^i-([0-9a-f]{8}|[0-9a-f]{17})$";
    InstanceType is "instance type", "a family and a size, such as `c6i.large`",
        r"^[A-Za-z0-9-]{1,24}\.[A-Za-z0-9-]{1,24}$";
    LocalZone is "time zone", "a name in the IANA time zone database, such as `Europe/Berlin` or `UTC`", r"^[A-Za-z]";
    SecurityGroupId is "security group id", "`sg-` and 8 or 17 hexadecimal digits",
        r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$";
    Span is "duration", "whole hours, minutes and seconds, such as `90s`, `5m` or `1h 30m`",
        r"^([0-9]+h( ?[0-9]+m)?( ?[0-9]+s)?|[0-9]+m( ?[0-9]+s)?|[0-9]+s)$";
    SubnetId is "subnet id", "`subnet-` and 8 or 17 hexadecimal digits", r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$";
    TargetGroupArn is "target group ARN", "`arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`",
        r"^arn:aws[a-z-]*:elasticloadbalancing:[^:]*:[0-9]*:targetgroup/[A-Za-z0-9-]+/[A-Za-z0-9]+$";
    Version is "version", "three numbers, such as `1.4.14`", r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$";
    Zone is "availability zone", "a region and a letter, such as `eu-central-1a`", r"^[a-z0-9]+(-[a-z0-9]+)*-[a-z0-9]*[a-z]$";
}
