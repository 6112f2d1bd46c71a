//! The ways that a run can go: through, back from wherever it matters, and frozen; and what can go wrong in its world.

use super::{CallKind, Ending, FaultSpec, RehearsalSpec, Site, WorldKind};
use crate::rehearse::Goal;
use std::collections::BTreeSet;

/// What makes it go there, and how it then ends. When an alarm rings is not known yet: it is when the bake has begun.
pub(super) fn scenarios(plan: &RehearsalSpec) -> Vec<(Vec<FaultSpec>, Ending)> {
    let impaired =
        |nths: &[u32]| nths.iter().map(|nth| FaultSpec::World(WorldKind::Impaired(*nth))).collect::<Vec<_>>();
    match plan.goal {
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
        Goal::Scale { to } if to < plan.config.fleet.size => vec![
            (vec![], Ending::Scaled),
            (vec![always("leaving-out", "DeregisterTargets")], Ending::RolledBack),
            (vec![always("delete-the-members", "TerminateInstances")], Ending::Frozen),
        ],
        Goal::Scale { to } => {
            let added = to - plan.config.fleet.size;
            let all: Vec<_> = (1..=2 * added).collect();
            let mut scenarios = vec![
                (vec![], Ending::Scaled),
                // One is replaced; with it the one in its place is ill too, and is given up; so are all.
                (impaired(&[1]), Ending::Scaled),
                (impaired(&all), Ending::RolledBack),
                ([impaired(&all), vec![always("delete-the-unhealthy-members", "TerminateInstances")]].concat(), Ending::Frozen),
            ];
            if added > 1 {
                scenarios.insert(2, (impaired(&[1, added + 1]), Ending::Scaled));
            }
            scenarios
        }
        Goal::GoldenImage => vec![
            (vec![], Ending::ImageTaken),
            // Back while the member is stopped, and once it runs again.
            (vec![always("image-of-the-member", "CreateImage")], Ending::RolledBack),
            (vec![always("member-healthy", "DescribeTargetHealth")], Ending::RolledBack),
            (
                vec![always("image-of-the-member", "CreateImage"), always("start-the-member-again", "StartInstances")],
                Ending::Frozen,
            ),
        ],
    }
}

fn always(state: &str, operation: &str) -> FaultSpec {
    FaultSpec::Call {
        site: Site { state: state.to_owned(), operation: operation.to_owned(), nth: 1 },
        and_after: true,
        kind: CallKind::Error,
    }
}

/// Every fault of the world that concerns the run; what comes at a time comes at each of `milestones`.
pub(super) fn world(plan: &RehearsalSpec, milestones: &BTreeSet<u32>) -> Vec<WorldKind> {
    let fleet = &plan.config.fleet;
    let zones = || fleet.subnets.iter().map(|subnet| WorldKind::NoCapacity(Some(subnet.zone.to_string())));
    let mut world = vec![WorldKind::TwoStarts];
    if let Goal::Upgrade { .. } | Goal::GoldenImage = plan.goal {
        world.push(WorldKind::ImageFails);
    }
    let launches = match plan.goal {
        Goal::Upgrade { .. } => true,
        Goal::Scale { to } => to > fleet.size,
        Goal::GoldenImage => false,
    };
    if launches {
        world.extend([WorldKind::UnhealthyTarget, WorldKind::UnhealthyTargets, WorldKind::NoCapacity(None)]);
        world.extend(zones());
        // The builder, and each of the first few members.
        world.extend((1..=1 + fleet.size.min(3)).map(WorldKind::Impaired));
    }
    if let Goal::Upgrade { .. } = plan.goal {
        world.extend([WorldKind::MigrateFails, WorldKind::NoBuilder, WorldKind::AgentSilent]);
    }
    for at in milestones {
        world.extend([WorldKind::MemberDies(*at), WorldKind::Alarm(*at)]);
    }
    world
}
