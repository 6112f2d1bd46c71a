//! The permissions that the calls of the services other than EC2 require.

use serde_json::Value;

use super::RequiredPermission;
use crate::service::{ServiceError, unsupported};
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::json::Fields;

/// Elastic Load Balancing.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html>
pub(super) fn load_balancing(operation: &str, form: &Form) -> Vec<RequiredPermission> {
    let action = match operation {
        "DeregisterTargets" => "elasticloadbalancing:DeregisterTargets",
        "RegisterTargets" => "elasticloadbalancing:RegisterTargets",
        other => return vec![RequiredPermission::on_all(format!("elasticloadbalancing:{other}"))],
    };
    let group = form.pairs().get("TargetGroupArn").cloned().unwrap_or_default();
    vec![RequiredPermission::on(action, group)]
}

/// RDS. A snapshot with tags requires the permission to tag as well.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html>
pub(super) fn rds(state: &State, operation: &str, form: &Form) -> Result<Vec<RequiredPermission>, ServiceError> {
    // A copy, because the code that serves the call consumes all parameters.
    let mut form = form.clone();
    match operation {
        "DescribeDBSnapshots" => Ok(vec![RequiredPermission::on_all("rds:DescribeDBSnapshots".to_owned())]),
        "CreateDBSnapshot" => {
            const CREATE: &str = "rds:CreateDBSnapshot";
            let arn =
                |kind: &str, id: Option<String>| state.world.arn("rds", &format!("{kind}:{}", id.unwrap_or_default()));
            let (db, snapshot) = (form.take("DBInstanceIdentifier"), form.take("DBSnapshotIdentifier"));
            let snapshot = arn("snapshot", snapshot);
            let tags = crate::rds::read_tags(&mut form)?;
            let there = state.world.data.as_ref().filter(|data| db.as_deref() == Some(data.id()));
            Ok(vec![
                RequiredPermission::on(CREATE, arn("db", db)).with_resource_tags(there.map(|_| &state.world.data_tags)),
                RequiredPermission::on(CREATE, snapshot.clone()).with_request_tags(&tags),
                RequiredPermission::on("rds:AddTagsToResource", snapshot).with_request_tags(&tags),
            ])
        }
        other => Err(unsupported(format_args!("permissions for {other} of RDS"))),
    }
}

/// Systems Manager.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>
pub(super) fn systems_manager(
    state: &State,
    operation: &str,
    fields: &Fields,
) -> Result<Vec<RequiredPermission>, ServiceError> {
    match operation {
        "DescribeInstanceInformation" | "GetCommandInvocation" | "ListCommandInvocations" | "ListCommands" => {
            Ok(vec![RequiredPermission::on_all(format!("ssm:{operation}"))])
        }
        "SendCommand" => {
            const SEND: &str = "ssm:SendCommand";
            let document = fields.peek("DocumentName").and_then(Value::as_str).unwrap_or_default();
            let mut required =
                vec![RequiredPermission::on(SEND, state.world.arn("ssm", &format!("document/{document}")))];
            for id in texts(fields.peek("InstanceIds")) {
                let permission = RequiredPermission::on(SEND, state.world.arn("ec2", &format!("instance/{id}")));
                required.push(
                    permission
                        .with_resource_tags(state.ec2.by_id.get(id).map(|index| &state.ec2.instances[*index].tags)),
                );
            }
            Ok(required)
        }
        other => Err(unsupported(format_args!("permissions for {other} of Systems Manager"))),
    }
}

/// CloudWatch. Only a caller that may describe all alarms sees composite alarms.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>
pub(super) fn cloudwatch(
    state: &State,
    operation: &str,
    fields: &Fields,
) -> Result<Vec<RequiredPermission>, ServiceError> {
    if operation == "GetMetricData" {
        return Ok(vec![RequiredPermission::on_all("cloudwatch:GetMetricData".to_owned())]);
    }
    if operation != "DescribeAlarms" {
        return Err(unsupported(format_args!("permissions for {operation} of CloudWatch")));
    }
    let composite = texts(fields.peek("AlarmTypes")).any(|kind| kind == "CompositeAlarm");
    let all = composite.then(|| RequiredPermission::on_all("cloudwatch:DescribeAlarms".to_owned()));
    let alarms = RequiredPermission::on("cloudwatch:DescribeAlarms", state.world.arn("cloudwatch", "alarm:*"));
    Ok(std::iter::once(alarms).chain(all).collect())
}

/// DynamoDB. A transaction has no action of its own. Each of its parts requires the permission of the same call outside
/// a transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>
pub(super) fn dynamodb(
    state: &State,
    operation: &str,
    fields: &Fields,
) -> Result<Vec<RequiredPermission>, ServiceError> {
    let on = |action: &'static str, table: Option<&Value>| {
        let table = table.and_then(Value::as_str).unwrap_or_default();
        let arn = if table.starts_with("arn:") {
            table.to_owned()
        } else {
            state.world.arn("dynamodb", &format!("table/{table}"))
        };
        RequiredPermission::on(action, arn)
    };
    if operation == "TransactWriteItems" {
        let items = fields.peek("TransactItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let parts = items.iter().filter_map(Value::as_object).flatten().filter(|(_, part)| !part.is_null());
        return parts
            .map(|(kind, part)| match kind.as_str() {
                "ConditionCheck" => Ok(on("dynamodb:ConditionCheckItem", part.get("TableName"))),
                "Delete" => Ok(on("dynamodb:DeleteItem", part.get("TableName"))),
                "Put" => Ok(on("dynamodb:PutItem", part.get("TableName"))),
                "Update" => Ok(on("dynamodb:UpdateItem", part.get("TableName"))),
                other => Err(unsupported(format_args!("permissions for {other} in a transaction"))),
            })
            .collect();
    }
    let action = match operation {
        "DeleteItem" => "dynamodb:DeleteItem",
        "GetItem" => "dynamodb:GetItem",
        "PutItem" => "dynamodb:PutItem",
        "Query" => "dynamodb:Query",
        "UpdateItem" => "dynamodb:UpdateItem",
        other => return Err(unsupported(format_args!("permissions for {other} of DynamoDB"))),
    };
    Ok(vec![on(action, fields.peek("TableName"))])
}

/// The strings in a list.
fn texts(list: Option<&Value>) -> impl Iterator<Item = &str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
