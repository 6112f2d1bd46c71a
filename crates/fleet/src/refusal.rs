//! Why a run is not begun. A refusal changes nothing.

use crate::{FleetName, ImageId, InstanceId, NotPermitted, RunId, Version};

/// A reason not to begin, with the setting concerned and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The wanted version is older than the fleet's.
    #[error(
        "to: {to} would be a downgrade, the fleet runs {from}; migrations have no way back down: name a version above {from}"
    )]
    Downgrade {
        /// What the fleet runs.
        from: Version,
        /// What was asked for.
        to: Version,
    },
    /// The hop list does not reach one of the two versions.
    #[error(
        "to: no path of hops from {from} to {to}: {unknown} belongs to no minor version of the hop list ({known}); add its hops to upgrade.hops"
    )]
    NoHopPath {
        /// What the fleet runs.
        from: Version,
        /// What was asked for.
        to: Version,
        /// The one of the two that the list does not reach.
        unknown: Version,
        /// The hop list, for people.
        known: String,
    },
    /// The stack may not touch the fleet.
    #[error("{why}: update the stack's parameters with 'sam deploy --guided'")]
    OutOfScope {
        /// The field, and what it is not among.
        why: String,
    },
    /// No running instance carries the load-balancer tag.
    #[error("fleet.load_balancer_tag: no running instance carries {tag}, so the fleet is empty: tag its members")]
    EmptyFleet {
        /// The load-balancer tag.
        tag: String,
    },
    /// An instance with the load-balancer tag belongs to another fleet, or to none.
    #[error(
        "fleet.load_balancer_tag: {tag} also matches {instance}, which {owner}, not to {fleet}: give every fleet a load-balancer tag of its own and tag its members {fleet_tag}={fleet}"
    )]
    ForeignMember {
        /// The load-balancer tag.
        tag: String,
        /// The first such instance.
        instance: InstanceId,
        /// "belongs to fleet X" or "belongs to no fleet".
        owner: String,
        /// The fleet that the run is for.
        fleet: FleetName,
        /// The key of the tag that says whose an instance is.
        fleet_tag: &'static str,
    },
    /// A member does not take traffic, so the run could not tell what it must keep up.
    #[error(
        "member {instance} carries the load-balancer tag but its target is {health}: only a member in service can be counted on; repair or untag it"
    )]
    NotInService {
        /// The first such member.
        instance: InstanceId,
        /// The state of its target, as the load balancer says it.
        health: String,
    },
    /// Something is registered with the target group that is no member.
    #[error(
        "load_balancer.target_group: {instance} is registered with it but lacks the load-balancer tag {tag}: it would stay in service whatever becomes of the members; tag it, or take it out"
    )]
    UntaggedTarget {
        /// The first such instance.
        instance: InstanceId,
        /// The load-balancer tag.
        tag: String,
    },
    /// An alarm that is to stay quiet rings already, or nobody watches.
    #[error(
        "upgrade.alarms: '{alarm}' {problem}: name CloudWatch alarms that exist and are quiet when an upgrade begins"
    )]
    Alarm {
        /// The alarm.
        alarm: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database would run out of connections.
    #[error(
        "database.max_connections: {available} is too few for upgrading {members} members: {clients} clients (both fleets and the builder) of {per_member} connections each need {needed}; raise max_connections, or lower fleet.size or database.connections_per_member"
    )]
    Connections {
        /// Members of the fleet.
        members: u32,
        /// Clients connected at once at the worst moment.
        clients: u64,
        /// Connections that one client may open.
        per_member: u32,
        /// Connections needed.
        needed: u64,
        /// Connections that the database takes.
        available: u32,
    },
    /// The target group would overflow.
    #[error(
        "load_balancer.target_quota: {quota} targets are too few for upgrading {members} members: both fleets need {needed} at once; have the quota 'Targets per Target Group' raised, then say so here"
    )]
    Targets {
        /// Members of the fleet.
        members: u32,
        /// Targets needed.
        needed: u64,
        /// Targets that the group takes.
        quota: u32,
    },
    /// The target group would overflow.
    #[error(
        "load_balancer.target_quota: {quota} targets are too few for {members} members; have the quota 'Targets per Target Group' raised, then say so here"
    )]
    TargetsToScale {
        /// Members that are wanted.
        members: u32,
        /// Targets that the group takes.
        quota: u32,
    },
    /// Another run holds the fleet.
    #[error(
        "run {run} holds fleet {fleet}: only one run at a time changes a fleet, and a frozen one keeps it until a person has looked"
    )]
    Locked {
        /// The fleet.
        fleet: FleetName,
        /// The run that holds it.
        run: RunId,
    },
    /// The ledger knows no such fleet.
    #[error("fleet: '{fleet}' is not in the ledger: record its configuration there with 'fleetwright apply'")]
    UnknownFleet {
        /// The fleet asked for.
        fleet: FleetName,
    },
    /// The fleet is not the one that was planned for.
    #[error("plan: fleet {fleet} has changed since the plan was made: make a new one, read it, and start that")]
    PlanIsOld {
        /// The fleet.
        fleet: FleetName,
    },
    /// The golden image is gone or unusable.
    #[error(
        "fleet.golden_image: {image} {problem}: name an available image of this account that the members were cloned from"
    )]
    GoldenImage {
        /// The image.
        image: ImageId,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no image to make members of.
    #[error(
        "fleet.golden_image: fleet {fleet} has no golden image to make members of: 'fleetwright golden-image' takes one of a member"
    )]
    NoGoldenImage {
        /// The fleet.
        fleet: FleetName,
    },
    /// Nobody would serve while an image is taken.
    #[error(
        "member: {instance} is the only member in service, and an image is taken of one that is stopped: say \"downtime\": true (--downtime) if nobody is to serve meanwhile"
    )]
    SoleMember {
        /// The member.
        instance: InstanceId,
    },
    /// An image is wanted of a member of another image.
    #[error(
        "member: {instance} is no clone of the golden image {golden}, so its version is not known: name one that is"
    )]
    AnotherImage {
        /// The member.
        instance: InstanceId,
        /// The golden image.
        golden: ImageId,
    },
    /// An image is wanted of what is no member.
    #[error("member: {instance} carries no load-balancer tag of fleet {fleet}, and an image is taken of a member")]
    NoMember {
        /// What was named.
        instance: InstanceId,
        /// The fleet.
        fleet: FleetName,
    },
    /// There is no image to go back to.
    #[error(
        "rollback: fleet {fleet} keeps no image that is known to be good: name one with --image ('fleetwright images' lists those in quarantine too)"
    )]
    NothingKept {
        /// The fleet.
        fleet: FleetName,
    },
    /// The image to go back to is not one that the fleet keeps.
    #[error("rollback: {image} is not an image that fleet {fleet} keeps: 'fleetwright images' lists them")]
    NotKept {
        /// The fleet.
        fleet: FleetName,
        /// The image asked for.
        image: ImageId,
    },
    /// Nothing is to be repaired.
    #[error(
        "repair: nothing to repair: fleet {fleet} has what it should have; 'fleetwright doctor' says what is left to a person"
    )]
    NothingToRepair {
        /// The fleet.
        fleet: FleetName,
    },
    /// The upgrade would not end inside a window.
    #[error("upgrade.windows: {0}")]
    Window(NotPermitted),
    /// Nothing is known about how long the upgrade takes.
    #[error(
        "upgrade.windows: it is not known how long this upgrade takes, and so whether it ends inside a window: start it with 'fleetwright upgrade', which rehearses it, or say \"takes_seconds\""
    )]
    UnknownLength,
}
