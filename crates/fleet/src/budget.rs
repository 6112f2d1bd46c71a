//! What an upgrade's overlap needs at once: for a while the old members, the new ones and the builder all stand.

use crate::{Database, Refusal};
use serde::{Deserialize, Serialize};

/// What is needed at the worst moment, and what there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Needed.
    pub needed: u64,
    /// There.
    pub available: u64,
}

impl Budget {
    fn suffices(self) -> bool {
        self.needed <= self.available
    }
}

/// The database connections of an upgrade.
///
/// Old and new members and the builder are connected at once: `2 × members + 1` clients. MariaDB answers the one
/// too many with `SQLSTATE[HY000] [1040] Too many connections`, on every member.
pub fn connections(members: u32, database: &Database) -> Budget {
    let needed = clients(members) * u64::from(database.connections_per_member);
    Budget { needed, available: database.max_connections.into() }
}

fn clients(members: u32) -> u64 {
    2 * u64::from(members) + 1
}

/// The targets of an upgrade: both fleets are registered at once.
pub fn targets(members: u32, quota: u32) -> Budget {
    Budget { needed: 2 * u64::from(members), available: quota.into() }
}

/// Refuses a fleet whose overlap would open more database connections than the database takes.
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

/// Refuses a fleet whose overlap would register more targets than the target group takes.
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
    fn the_overlap_counts_both_fleets_and_the_builder() {
        let database = |max_connections| Database { max_connections, connections_per_member: 20 };
        assert_eq!(check_connections(3, &database(140)), Ok(()));
        let refusal = check_connections(3, &database(139)).unwrap_err().to_string();
        assert!(refusal.contains("140") && refusal.contains("139"), "{refusal}");
    }

    #[test]
    fn both_fleets_must_fit_the_target_group() {
        assert_eq!(check_targets(500, 1000), Ok(()));
        assert!(check_targets(501, 1000).is_err());
    }
}
