//! What an upgrade needs while it overlaps: for a while the leaving members, the staying members and the builder all run.

use crate::{Database, Refusal};
use serde::{Deserialize, Serialize};

/// The largest number that a run needs at once, and the number that is available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// The largest number that the run needs at once.
    pub needed: u64,
    /// The number that the fleet's configuration allows.
    pub available: u64,
}

impl Budget {
    fn suffices(self) -> bool {
        self.needed <= self.available
    }
}

/// The database connections of an upgrade.
///
/// Leaving members, staying members and the builder connect at the same time: `2 × members + 1` clients. When connections
/// run out, MariaDB answers `SQLSTATE[HY000] [1040] Too many connections` to every member.
pub fn connections(members: u32, database: &Database) -> Budget {
    let needed = clients(members) * u64::from(database.connections_per_member);
    Budget { needed, available: database.max_connections.into() }
}

fn clients(members: u32) -> u64 {
    2 * u64::from(members) + 1
}

/// The targets of an upgrade: leaving and staying members are registered at the same time.
pub fn targets(members: u32, quota: u32) -> Budget {
    Budget { needed: 2 * u64::from(members), available: quota.into() }
}

/// Refuses an upgrade that would open more connections than the database allows.
///
/// # Errors
/// [`Refusal::Connections`], with the figures.
pub fn check_connections(members: u32, database: &Database) -> Result<(), Refusal> {
    let budget = connections(members, database);
    if budget.suffices() {
        return Ok(());
    }
    Err(Refusal::Connections {
        members,
        clients: clients(members),
        per_member: database.connections_per_member,
        needed: budget.needed,
        available: database.max_connections,
    })
}

/// Refuses an upgrade that would register more targets than the target group's quota allows.
///
/// # Errors
/// [`Refusal::Targets`], with the figures.
pub fn check_targets(members: u32, quota: u32) -> Result<(), Refusal> {
    let budget = targets(members, quota);
    if budget.suffices() { Ok(()) } else { Err(Refusal::Targets { members, needed: budget.needed, quota }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_members_staying_members_and_the_builder_need_connections() {
        let database = |max_connections| Database { max_connections, connections_per_member: 20 };
        assert_eq!(check_connections(3, &database(140)), Ok(()));
        let refusal = check_connections(3, &database(139)).unwrap_err().to_string();
        assert!(refusal.contains("140") && refusal.contains("139"), "{refusal}");
    }

    #[test]
    fn leaving_and_staying_members_must_fit_the_target_group() {
        assert_eq!(check_targets(500, 1000), Ok(()));
        assert!(check_targets(501, 1000).is_err());
    }
}
