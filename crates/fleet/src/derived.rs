//! Names, tags and tokens that derive from the run, so that an effect whose answer was lost is found again.

use crate::{DbSnapshotId, FleetName, Role, RunRef, SubnetId, Version};
use sha2::{Digest, Sha256};

/// On everything of a fleet: the fleet's name.
pub const FLEET_TAG: &str = "fleetwright:fleet";
/// On the data server or RDS instance that is backed up: the name of the fleet whose data is on it.
pub const DATA_TAG: &str = "fleetwright:data-of";
/// On everything a run made: the run's id.
pub const RUN_TAG: &str = "fleetwright:run";
/// On an instance a run made: what it is for, builder or member.
pub const ROLE_TAG: &str = "fleetwright:role";
/// On a golden image: the version that it has installed.
pub const VERSION_TAG: &str = "fleetwright:version";

/// The client token of one launch.
///
/// The subnet is in it because EC2's tokens are zonal: one token in two zones launches twice. The round tells a
/// launch that makes up for a short zone from the first one. 64 hexadecimal digits, the most that EC2 takes.
pub fn client_token(run: &RunRef, role: Role, subnet: &SubnetId, round: u32) -> String {
    hex(&[run.fleet.as_str(), run.id.as_str(), role.as_str(), subnet.as_str(), &round.to_string()])
}

/// The name of the image that a run makes, the key by which `CreateImage` is never done twice.
///
/// Image names are unique in an account and region and take 3 to 128 characters.
pub fn image_name(run: &RunRef, version: Version) -> String {
    let run_hash = &hex(&[run.fleet.as_str(), run.id.as_str()])[..12];
    format!("{}-{version}-{run_hash}", run.fleet)
}

/// The `Name` tag of an instance that a run makes.
pub fn instance_name(fleet: &FleetName, role: Role, version: Version) -> String {
    match role {
        Role::Builder => format!("{fleet}-builder"),
        Role::Member => format!("{fleet}-{version}"),
    }
}

/// The name of the snapshot that a run takes of an RDS instance, the key by which it is never taken twice.
///
/// Unique in an account and region; letters, digits and single hyphens.
pub fn db_snapshot_id(run: &RunRef) -> DbSnapshotId {
    DbSnapshotId::of_run(&hex(&[run.fleet.as_str(), run.id.as_str()])[..32])
}

/// The comment of one hop's command, at most 100 characters: Run Command has no token, so this is how it is found again.
pub fn command_comment(run: &RunRef, hop: Version) -> String {
    format!("fleetwright {} {hop}", &hex(&[run.fleet.as_str(), run.id.as_str()])[..32])
}

fn hex(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str) -> RunRef {
        RunRef { fleet: "appwrite".parse().unwrap(), id: id.parse().unwrap() }
    }

    #[test]
    fn a_token_is_the_same_for_the_same_launch_and_another_for_any_other() {
        let (a, b): (SubnetId, SubnetId) = ("subnet-0000000a".parse().unwrap(), "subnet-0000000b".parse().unwrap());
        let token = client_token(&run("r1"), Role::Member, &a, 0);
        assert_eq!(token, client_token(&run("r1"), Role::Member, &a, 0));
        assert_eq!(token.len(), 64);
        for other in [
            client_token(&run("r2"), Role::Member, &a, 0),
            client_token(&run("r1"), Role::Builder, &a, 0),
            client_token(&run("r1"), Role::Member, &b, 0),
            client_token(&run("r1"), Role::Member, &a, 1),
        ] {
            assert_ne!(token, other);
        }
    }

    #[test]
    fn names_fit_their_limits_for_the_longest_ids() {
        let longest = RunRef { fleet: "f".repeat(32).parse().unwrap(), id: "r".repeat(80).parse().unwrap() };
        let version = Version::new(65535, 65535, 65535);
        assert!(image_name(&longest, version).len() <= 128);
        assert!(command_comment(&longest, version).len() <= 100);
    }
}
