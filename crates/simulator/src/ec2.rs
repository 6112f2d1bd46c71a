//! EC2: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/>.

pub(crate) mod filter;
pub(crate) mod image;
pub(crate) mod instance;
pub(crate) mod lifecycle;
pub(crate) mod tags;

mod backup;
mod describe;
mod images;
mod launch;
mod page;
mod power;
mod snapshots;
mod status;

use std::collections::BTreeMap;

use crate::buckets::{Demand, rate};
use crate::service::{ServiceError, refuse, unsupported};
use crate::state::State;
use crate::wire::form::Form;

use image::{Image, Snapshot};
use instance::Instance;
use launch::Launch;

/// The state of EC2. Instances, images and snapshots are in the order of their creation, and an index identifies each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ec2 {
    pub(crate) instances: Vec<Instance>,
    pub(crate) by_id: BTreeMap<String, usize>,
    pub(crate) images: Vec<Image>,
    pub(crate) snapshots: Vec<Snapshot>,
    /// The launch of each client token and zone: a client token is valid in one zone.
    launches: BTreeMap<(String, String), Launch>,
    /// How many instances `RunInstances` has launched.
    launched: u32,
}

/// Answers one call.
pub(crate) fn serve(state: &mut State, operation: &str, form: &mut Form) -> Result<Vec<u8>, ServiceError> {
    match operation {
        "CreateImage" => images::create(state, form),
        "CreateSnapshots" => backup::create(state, form),
        "CreateTags" => tags::create(state, form),
        "DeleteSnapshot" => snapshots::delete(state, form),
        "DeleteTags" => tags::delete(state, form),
        "DeregisterImage" => images::deregister(state, form),
        "DescribeImages" => images::describe(state, form),
        "DescribeInstanceStatus" => status::describe(state, form),
        "DescribeInstances" => describe::instances(state, form),
        "DescribeSnapshots" => snapshots::describe(state, form),
        "DescribeSubnets" => describe::subnets(state, form),
        "RunInstances" => launch::run(state, form),
        "StartInstances" => power::start(state, form),
        "StopInstances" => power::stop(state, form),
        "TerminateInstances" => power::terminate(state, form),
        other => Err(unsupported(format_args!("the operation {other} of EC2"))),
    }
}

/// The token buckets that apply to a call.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
pub(crate) fn demands(operation: &str, form: &Form) -> Vec<Demand> {
    let instances = || {
        let named = form.pairs().keys().filter(|name| name.starts_with("InstanceId.")).count();
        u32::try_from(named).unwrap_or(u32::MAX)
    };
    let wanted = || form.pairs().get("MaxCount").and_then(|count| count.parse().ok()).unwrap_or(1);
    let narrowed = || {
        let narrowing = ["Filter.", "InstanceId.", "ImageId.", "SnapshotId.", "SubnetId.", "MaxResults", "NextToken"];
        form.pairs().keys().any(|name| narrowing.iter().any(|start| name.starts_with(start)))
    };
    match operation {
        "RunInstances" => {
            vec![("RunInstances", rate(5, 2), 1), ("RunInstances instances", rate(1_000, 2), wanted())]
        }
        "StartInstances" => {
            vec![("StartInstances", rate(5, 2), 1), ("StartInstances instances", rate(1_000, 2), instances())]
        }
        "StopInstances" => {
            vec![("StopInstances", rate(50, 5), 1), ("StopInstances instances", rate(1_000, 20), instances())]
        }
        "TerminateInstances" => {
            vec![
                ("TerminateInstances", rate(100, 5), 1),
                ("TerminateInstances instances", rate(1_000, 20), instances()),
            ]
        }
        "CreateTags" => vec![("CreateTags", rate(100, 10), 1)],
        "DeleteTags" => vec![("DeleteTags", rate(100, 10), 1)],
        "CreateImage" => vec![("CreateImage", rate(50, 5), 1)],
        "CreateSnapshots" => vec![("CreateSnapshots", rate(100, 5), 1)],
        "DeregisterImage" => vec![("DeregisterImage", rate(100, 5), 1)],
        "DeleteSnapshot" => vec![("DeleteSnapshot", rate(100, 5), 1)],
        "DescribeInstances" if narrowed() => vec![("DescribeInstances", rate(100, 20), 1)],
        "DescribeInstanceStatus" if narrowed() => vec![("DescribeInstanceStatus", rate(100, 20), 1)],
        "DescribeImages" if narrowed() => vec![("DescribeImages", rate(100, 20), 1)],
        "DescribeSnapshots" if narrowed() => vec![("DescribeSnapshots", rate(100, 20), 1)],
        "DescribeSubnets" if narrowed() => vec![("DescribeSubnets", rate(100, 20), 1)],
        "DescribeInstances" => vec![("DescribeInstances without filter", rate(50, 10), 1)],
        "DescribeInstanceStatus" => vec![("DescribeInstanceStatus without filter", rate(50, 10), 1)],
        "DescribeImages" => vec![("DescribeImages without filter", rate(50, 10), 1)],
        "DescribeSnapshots" => vec![("DescribeSnapshots without filter", rate(50, 10), 1)],
        "DescribeSubnets" => vec![("DescribeSubnets without filter", rate(50, 10), 1)],
        _ => Vec::new(),
    }
}

/// Refuses a malformed id. An id is `prefix-` and eight or seventeen hexadecimal digits.
fn well_formed(id: &str, prefix: &str, kind: &str) -> Result<(), ServiceError> {
    let digits = id.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
    if matches!(digits.len(), 8 | 17) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        Ok(())
    } else {
        Err(refuse(&format!("{kind}.Malformed"), format!("Invalid id: \"{id}\"")))
    }
}

/// The tags of a `TagSpecification` list, by resource type. Types that are not in `known` are refused.
pub(crate) fn tag_specifications(
    form: &mut Form,
    known: &[&str],
) -> Result<BTreeMap<String, BTreeMap<String, String>>, ServiceError> {
    let mut all = BTreeMap::new();
    for mut specification in form.structures("TagSpecification") {
        let resource_type = specification.required("ResourceType")?;
        if !known.contains(&resource_type.as_str()) {
            return Err(refuse(
                "InvalidParameterValue",
                format!("'{resource_type}' is not a valid taggable resource type for this operation."),
            ));
        }
        all.insert(resource_type, tags::read(&mut specification)?);
        specification.finish()?;
    }
    Ok(all)
}
