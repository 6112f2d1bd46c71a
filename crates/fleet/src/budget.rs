//! What an upgrade's overlap needs at once: for a while the old members, the new ones and the builder all stand.

use crate::{Database, Refusal};

/// Refuses a fleet whose overlap would open more database connections than the database takes.
///
/// Old and new members and the builder are connected at once: `2 × members + 1` clients. MariaDB answers the one
/// too many with `SQLSTATE[HY000] [1040] Too many connections`, on every member.
///
/// # Errors
/// [`Refusal::Connections`], with the figures.
pub fn check_connections(members: u32, database: &Database) -> Result<(), Refusal> {
    let clients = 2 * u64::from(members) + 1;
    let needed = clients * u64::from(database.connections_per_member);
    if needed <= u64::from(database.max_connections) {
        return Ok(());
    }
    Err(Refusal::Connections {
        members,
        clients,
        per_member: database.connections_per_member,
        needed,
        available: database.max_connections,
    })
}

/// Refuses a fleet whose overlap would register more targets than the target group takes.
///
/// # Errors
/// [`Refusal::Targets`], with the figures.
pub fn check_targets(members: u32, quota: u32) -> Result<(), Refusal> {
    let needed = 2 * u64::from(members);
    if needed <= u64::from(quota) { Ok(()) } else { Err(Refusal::Targets { members, needed, quota }) }
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
