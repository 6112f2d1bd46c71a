//! The reasons not to begin a run. A refused run changes nothing.

use crate::{FleetName, ImageId, InstanceId, NotPermitted, RunId, Version};

/// A reason not to begin a run. The text names the setting concerned and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The wanted version is older than the fleet's.
    #[error(
        "to: {to} would be a downgrade, because the fleet runs {from}, and migrations cannot be undone: name a version above {from}"
    )]
    Downgrade {
        /// The version that the fleet runs.
        from: Version,
        /// The ordered version.
        to: Version,
    },
    /// The hop list does not cover one of the two versions.
    #[error(
        "to: no path of hops from {from} to {to}: the hop list ({known}) does not cover {unknown}; add its hops to upgrade.hops"
    )]
    NoHopPath {
        /// The version that the fleet runs.
        from: Version,
        /// The ordered version.
        to: Version,
        /// The version whose minor version the list lacks.
        unknown: Version,
        /// The hop list, with commas.
        known: String,
    },
    /// The fleet is outside the stack's scope.
    #[error("{why}: update the stack's parameters with 'sam deploy --guided'")]
    OutOfScope {
        /// The field, and the values that the stack allows.
        why: String,
    },
    /// No running instance carries the load-balancer tag.
    #[error(
        "fleet.load_balancer_tag: no running instance carries {tag}, so the fleet is empty: give its members this tag"
    )]
    EmptyFleet {
        /// The load-balancer tag.
        tag: String,
    },
    /// A foreign instance carries the fleet's load-balancer tag.
    #[error(
        "fleet.load_balancer_tag: {tag} also matches {instance}, which {owner}, not to {fleet}: give every fleet a load-balancer tag of its own, and tag its members {fleet_tag}={fleet}"
    )]
    ForeignInstance {
        /// The load-balancer tag.
        tag: String,
        /// The first such instance.
        instance: InstanceId,
        /// "belongs to fleet X" or "belongs to no fleet".
        owner: String,
        /// The fleet that the run is for.
        fleet: FleetName,
        /// The key of the fleet tag.
        fleet_tag: &'static str,
    },
    /// A member is not in service, so the run does not know the capacity that it must keep.
    #[error(
        "member {instance} carries the load-balancer tag but its target is {health}: all members must be in service; repair the member, or remove its tag"
    )]
    NotInService {
        /// The first such member.
        instance: InstanceId,
        /// The health of its target, as the load balancer reports it.
        health: String,
    },
    /// A target lacks the load-balancer tag.
    #[error(
        "load_balancer.target_group: {instance} is registered with it but lacks the load-balancer tag {tag}: it would stay in service whatever happens to the members; tag it, or deregister it"
    )]
    UntaggedTarget {
        /// The first such instance.
        instance: InstanceId,
        /// The load-balancer tag.
        tag: String,
    },
    /// A watched alarm is already raised, or does not exist.
    #[error(
        "upgrade.alarms: '{alarm}' {problem}: name CloudWatch alarms that exist and are not raised when an upgrade begins"
    )]
    Alarm {
        /// The alarm.
        alarm: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The database would run out of connections.
    #[error(
        "database.max_connections: {available} is too few for upgrading {members} members: {clients} clients (leaving members, staying members and the builder) of {per_member} connections each need {needed}; raise max_connections, or lower fleet.size or database.connections_per_member"
    )]
    Connections {
        /// The number of members.
        members: u32,
        /// The largest number of clients that are connected at once.
        clients: u64,
        /// The connections that one client may open.
        per_member: u32,
        /// The connections that all clients need.
        needed: u64,
        /// The connections that the database allows.
        available: u32,
    },
    /// An upgrade would exceed the target group's quota.
    #[error(
        "load_balancer.target_quota: {quota} targets are too few for upgrading {members} members: leaving and staying members need {needed} at once; request a higher quota 'Targets per Target Group', then enter it here"
    )]
    Targets {
        /// The number of members.
        members: u32,
        /// The targets that the upgrade needs.
        needed: u64,
        /// The targets that the quota allows.
        quota: u32,
    },
    /// A scale-out would exceed the target group's quota.
    #[error(
        "load_balancer.target_quota: {quota} targets are too few for {members} members; request a higher quota 'Targets per Target Group', then enter it here"
    )]
    TargetsToScale {
        /// The wanted number of members.
        members: u32,
        /// The targets that the quota allows.
        quota: u32,
    },
    /// Another run holds the lock.
    #[error(
        "run {run} holds fleet {fleet}: only one run at a time changes a fleet, and a frozen run holds it until an operator repairs it"
    )]
    Locked {
        /// The fleet.
        fleet: FleetName,
        /// The run that holds the lock.
        run: RunId,
    },
    /// The ledger has no record of the fleet.
    #[error("fleet: '{fleet}' is not in the ledger: record its configuration there with 'fleetwright apply'")]
    UnknownFleet {
        /// The name that was given.
        fleet: FleetName,
    },
    /// The fleet has changed since the plan was made.
    #[error("plan: fleet {fleet} has changed since the plan was made: make a new plan, read it, and start it")]
    PlanIsOld {
        /// The fleet.
        fleet: FleetName,
    },
    /// The image that the run would clone is not available.
    #[error(
        "fleet.golden_image: {image} {problem}: name an available image of this account that the members were cloned from"
    )]
    GoldenImage {
        /// The image.
        image: ImageId,
        /// What is wrong with it.
        problem: String,
    },
    /// The fleet has no golden image.
    #[error(
        "fleet.golden_image: fleet {fleet} has no golden image to clone members from: take one of a member with 'fleetwright golden-image'"
    )]
    NoGoldenImage {
        /// The fleet.
        fleet: FleetName,
    },
    /// No member would be in service while the image is taken.
    #[error(
        "member: {instance} is the only member in service, and the run stops it to take the image: pass --downtime (\"downtime\": true) to accept the outage"
    )]
    SoleMember {
        /// The member.
        instance: InstanceId,
    },
    /// The source member is not a clone of the golden image.
    #[error(
        "member: {instance} is not a clone of the golden image {golden}, so its version is not known: name a member that is"
    )]
    AnotherImage {
        /// The member.
        instance: InstanceId,
        /// The golden image.
        golden: ImageId,
    },
    /// The source of an image is not a member.
    #[error("member: {instance} does not carry the load-balancer tag of fleet {fleet}: name one of its members")]
    NoMember {
        /// The instance that was named.
        instance: InstanceId,
        /// The fleet.
        fleet: FleetName,
    },
    /// No kept image is known to be good.
    #[error(
        "revert: fleet {fleet} keeps no image that is known to be good: name one with --image ('fleetwright images' also lists those in quarantine)"
    )]
    NothingKept {
        /// The fleet.
        fleet: FleetName,
    },
    /// The named image is not a kept image of the fleet.
    #[error("revert: {image} is not an image that fleet {fleet} keeps: 'fleetwright images' lists them")]
    NotKept {
        /// The fleet.
        fleet: FleetName,
        /// The image that was named.
        image: ImageId,
    },
    /// There is nothing to repair.
    #[error(
        "repair: nothing to repair: fleet {fleet} is in its declared state; 'fleetwright doctor' prints what an operator must correct"
    )]
    NothingToRepair {
        /// The fleet.
        fleet: FleetName,
    },
    /// The run would not end inside a window.
    #[error("upgrade.windows: {0}")]
    Window(NotPermitted),
    /// The length of the upgrade is not known.
    #[error(
        "upgrade.windows: the length of this upgrade is not known, so it might not end inside a window: start it with 'fleetwright upgrade', which rehearses it, or set \"takes_seconds\""
    )]
    UnknownLength,
}
