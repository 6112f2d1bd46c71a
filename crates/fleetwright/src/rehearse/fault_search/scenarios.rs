//! The scenarios of each workflow: success, rollbacks from where they differ, and freezes. And the world faults of each
//! workflow.

use super::{CallKind, Ending, FaultSpec, RehearsalSpec, Site, WorldKind};
use crate::rehearse::Goal;
use std::collections::BTreeSet;

/// The faults of each scenario, and how a run with them ends. The time of an alarm is not known yet: the survey sets it to
/// the begin of the bake.
pub(super) fn scenarios(spec: &RehearsalSpec) -> Vec<(Vec<FaultSpec>, Ending)> {
    let impaired =
        |nths: &[u32]| nths.iter().map(|nth| FaultSpec::World(WorldKind::Impaired(*nth))).collect::<Vec<_>>();
    match spec.goal {
        Goal::Upgrade { .. } => {
            let unhealthy = FaultSpec::World(WorldKind::UnhealthyTarget);
            vec![
                (vec![], Ending::Upgraded),
                (vec![unhealthy.clone()], Ending::RolledBack),
                (vec![FaultSpec::World(WorldKind::Alarm(0))], Ending::RolledBack),
                (vec![always("delete-the-leaving-members", "TerminateInstances")], Ending::Frozen),
                (vec![unhealthy, always("staying-out", "DeregisterTargets")], Ending::Frozen),
            ]
        }
        Goal::Scale { to } if to < spec.config.fleet.size => vec![
            (vec![], Ending::Scaled),
            (vec![always("leaving-out", "DeregisterTargets")], Ending::RolledBack),
            (vec![always("delete-the-members", "TerminateInstances")], Ending::Frozen),
        ],
        Goal::Scale { to } => {
            let added = to - spec.config.fleet.size;
            let all: Vec<_> = (1..=2 * added).collect();
            let mut scenarios = vec![
                (vec![], Ending::Scaled),
                // One unhealthy member is replaced.
                (impaired(&[1]), Ending::Scaled),
                // All members and all their replacements are unhealthy.
                (impaired(&all), Ending::RolledBack),
                (
                    [impaired(&all), vec![always("delete-the-unhealthy-members", "TerminateInstances")]].concat(),
                    Ending::Frozen,
                ),
            ];
            if added > 1 {
                // The replacement of one unhealthy member is unhealthy too and is abandoned.
                scenarios.insert(2, (impaired(&[1, added + 1]), Ending::Scaled));
            }
            scenarios
        }
        Goal::GoldenImage => vec![
            (vec![], Ending::ImageTaken),
            // A rollback while the member is stopped, and one after it runs again.
            (vec![always("image-of-the-member", "CreateImage")], Ending::RolledBack),
            (vec![always("member-healthy", "DescribeTargetHealth")], Ending::RolledBack),
            (
                vec![always("image-of-the-member", "CreateImage"), always("start-the-member-again", "StartInstances")],
                Ending::Frozen,
            ),
        ],
    }
}

/// A fault that strikes every call of the operation in the state.
fn always(state: &str, operation: &str) -> FaultSpec {
    FaultSpec::Call {
        site: Site { state: state.to_owned(), operation: operation.to_owned(), nth: 1 },
        and_after: true,
        kind: CallKind::Error,
    }
}

/// Every world fault that can affect the run. A fault that strikes at a set time is listed for each of `milestones`, in
/// seconds since the first instant.
pub(super) fn world(spec: &RehearsalSpec, milestones: &BTreeSet<u32>) -> Vec<WorldKind> {
    let fleet = &spec.config.fleet;
    let zones = || fleet.subnets.iter().map(|subnet| WorldKind::NoCapacity(Some(subnet.zone.to_string())));
    let mut world = vec![WorldKind::TwoStarts];
    if let Goal::Upgrade { .. } | Goal::GoldenImage = spec.goal {
        world.push(WorldKind::ImageFails);
    }
    let launches = match spec.goal {
        Goal::Upgrade { .. } => true,
        Goal::Scale { to } => to > fleet.size,
        Goal::GoldenImage => false,
    };
    if launches {
        world.extend([WorldKind::UnhealthyTarget, WorldKind::UnhealthyTargets, WorldKind::NoCapacity(None)]);
        world.extend(zones());
        // The builder, and the first few members.
        world.extend((1..=1 + fleet.size.min(3)).map(WorldKind::Impaired));
    }
    if let Goal::Upgrade { .. } = spec.goal {
        world.extend([WorldKind::MigrateFails, WorldKind::NoBuilder, WorldKind::AgentSilent]);
    }
    for at in milestones {
        world.extend([WorldKind::MemberDies(*at), WorldKind::Alarm(*at)]);
    }
    world
}
