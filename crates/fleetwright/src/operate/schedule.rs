//! Upgrades that EventBridge Scheduler starts: one at a chosen time, whose schedule is deleted once it has started, and one at
//! every opening of the configuration's windows, for a wanted version.
//!
//! A schedule only starts an execution. The step `begin` then checks whether the upgrade still fits its window.

use super::stack::Stack;
use super::stop::Stop;
use crate::definition::Definition;
use aws_sdk_scheduler::operation::update_schedule::UpdateScheduleError;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy, Target,
};
use fleet::{Config, FleetName, LocalZone, Span, Version};
use functions::Named;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The group of all schedules, as in infra/template.yaml.
const GROUP: &str = "fleetwright";
/// Seconds after which Scheduler gives up a start: a later one would miss the quiet window.
const LATEST: i32 = 900;

/// Creates a schedule that starts one execution with this input at `at` and is deleted afterwards.
pub(super) async fn once(stack: &Stack, name: &str, at: Timestamp, input: &Value) -> Result<(), Stop> {
    let call = stack.scheduler.create_schedule().group_name(GROUP).name(name);
    let call = call.schedule_expression(format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S")));
    let call = call.schedule_expression_timezone("UTC").action_after_completion(ActionAfterCompletion::Delete);
    call.flexible_time_window(on_time()?).target(target(stack, input)?).send().await.of("CreateSchedule").map(drop)?;
    Ok(())
}

/// Creates a recurring schedule for each window of a fleet that has a wanted version, and deletes the fleet's other window
/// schedules. Repeating it changes nothing.
pub(super) async fn put_for_windows(stack: &Stack, config: &Config, takes: Option<Span>) -> Result<(), Stop> {
    let fleet = &config.fleet.name;
    let mut kept = Vec::new();
    if let Some(wanted) = config.upgrade.wanted {
        for (n, (cron, zone)) in config.upgrade.windows.crons().enumerate() {
            let name = format!("{}{n}", prefix(fleet));
            let mut input = request(fleet, wanted, takes);
            input["window"] = true.into();
            recurring(stack, &name, &cron, zone, &input).await?;
            kept.push(name);
        }
    }
    delete_all_but(stack, fleet, &kept).await
}

/// Deletes a fleet's window schedules. Repeating it changes nothing.
pub(super) async fn delete_for_windows(stack: &Stack, fleet: &FleetName) -> Result<(), Stop> {
    delete_all_but(stack, fleet, &[]).await
}

async fn delete_all_but(stack: &Stack, fleet: &FleetName, kept: &[String]) -> Result<(), Stop> {
    let list = stack.scheduler.list_schedules().group_name(GROUP).name_prefix(prefix(fleet));
    let mut pages = list.into_paginator().send();
    while let Some(page) = pages.next().await {
        for schedule in page.of("ListSchedules")?.schedules() {
            let Some(name) = schedule.name().filter(|name| !kept.iter().any(|kept| kept == name)) else { continue };
            stack.scheduler.delete_schedule().group_name(GROUP).name(name).send().await.of("DeleteSchedule")?;
        }
    }
    Ok(())
}

/// The input of an execution that upgrades a fleet.
pub(super) fn request(fleet: &FleetName, to: Version, takes: Option<Span>) -> Value {
    let mut request = json!({"fleet": fleet, "to": to});
    if let Some(takes) = takes {
        request["takes_seconds"] = takes.as_secs().into();
    }
    request
}

/// The start of the names of a fleet's window schedules. A fleet's name has no dot, so no other fleet's schedule begins so.
fn prefix(fleet: &FleetName) -> String {
    format!("{fleet}.window-")
}

async fn recurring(stack: &Stack, name: &str, cron: &str, zone: &LocalZone, input: &Value) -> Result<(), Stop> {
    let update = stack.scheduler.update_schedule().group_name(GROUP).name(name).schedule_expression(cron);
    let update = update.schedule_expression_timezone(zone.name());
    let update = update.flexible_time_window(on_time()?).target(target(stack, input)?).send().await;
    let missing = |error: &UpdateScheduleError| error.is_resource_not_found_exception();
    if !update.as_ref().err().and_then(|error| error.as_service_error()).is_some_and(missing) {
        update.of("UpdateSchedule")?;
        return Ok(());
    }
    let create = stack.scheduler.create_schedule().group_name(GROUP).name(name).schedule_expression(cron);
    let create = create.schedule_expression_timezone(zone.name());
    create.flexible_time_window(on_time()?).target(target(stack, input)?).send().await.of("CreateSchedule")?;
    Ok(())
}

fn on_time() -> Result<FlexibleTimeWindow, Stop> {
    FlexibleTimeWindow::builder()
        .mode(FlexibleTimeWindowMode::Off)
        .build()
        .map_err(|error| Stop::error(error.to_string()))
}

fn target(stack: &Stack, input: &Value) -> Result<Target, Stop> {
    let retry = RetryPolicy::builder().maximum_event_age_in_seconds(LATEST).maximum_retry_attempts(10).build();
    let undelivered = DeadLetterConfig::builder().arn(stack.arn_of("sqs", "fleetwright-undelivered")).build();
    let target = Target::builder().arn(stack.state_machine(Definition::UPGRADE)).role_arn(stack.scheduler_role());
    target
        .input(input.to_string())
        .retry_policy(retry)
        .dead_letter_config(undelivered)
        .build()
        .map_err(|error| Stop::error(error.to_string()))
}
