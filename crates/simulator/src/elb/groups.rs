//! `DescribeTargetGroups`, `DescribeTargetGroupAttributes`.

use super::find_group;
use crate::service::ServiceError;
use crate::service::refuse;
use crate::state::State;
use crate::wire::form::Form;
use crate::wire::xml::Xml;

/// `DescribeTargetGroups`: the groups that the call names by ARN or by name, or all of them.
pub(super) fn describe(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    let arns = form.list("TargetGroupArns.member");
    let names = form.list("Names.member");
    form.finish()?;
    for arn in &arns {
        find_group(state, arn)?;
    }
    if let Some(missing) = names.iter().find(|wanted| !state.groups.iter().any(|group| name(&group.arn) == **wanted)) {
        return Err(refuse("TargetGroupNotFound", format!("One or more target groups not found: {missing}")));
    }
    let all = arns.is_empty() && names.is_empty();
    let chosen = state
        .groups
        .iter()
        .filter(|group| all || arns.contains(&group.arn) || names.iter().any(|wanted| wanted == name(&group.arn)));
    let world = &state.world;
    Ok(Xml::query("DescribeTargetGroups", |xml| {
        xml.list("TargetGroups", "member", chosen, |xml, group| {
            xml.text("TargetGroupArn", &group.arn)
                .text("TargetGroupName", name(&group.arn))
                .text("TargetType", "instance");
            xml.text("Protocol", "HTTP").text("ProtocolVersion", "HTTP1").text("Port", world.target_port.to_string());
            xml.text("HealthCheckEnabled", "true")
                .text("HealthCheckProtocol", "HTTP")
                .text("HealthCheckPort", "traffic-port");
            xml.text("HealthCheckPath", "/v1/health/version").text("HealthCheckTimeoutSeconds", "6");
            xml.text("HealthCheckIntervalSeconds", world.health_check_interval.as_secs().to_string());
            xml.text("HealthyThresholdCount", world.healthy_threshold.to_string());
            xml.text("UnhealthyThresholdCount", world.unhealthy_threshold.to_string());
            xml.element("Matcher", |xml| {
                xml.text("HttpCode", "200");
            });
        });
    }))
}

/// The name in `arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID`.
fn name(arn: &str) -> &str {
    arn.split('/').nth(1).unwrap_or_default()
}

/// `DescribeTargetGroupAttributes`: the attributes of one group.
pub(super) fn attributes(state: &mut State, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    find_group(state, &form.required("TargetGroupArn")?)?;
    form.finish()?;
    let delay = state.world.deregistration_delay.as_secs().to_string();
    let attributes = [
        ("deregistration_delay.timeout_seconds", delay.as_str()),
        ("stickiness.enabled", "false"),
        ("load_balancing.algorithm.type", "round_robin"),
        ("slow_start.duration_seconds", "0"),
    ];
    Ok(Xml::query("DescribeTargetGroupAttributes", |xml| {
        xml.list("Attributes", "member", attributes, |xml, (key, value)| {
            xml.text("Key", key).text("Value", value);
        });
    }))
}
