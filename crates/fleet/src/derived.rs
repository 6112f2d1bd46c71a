//! Names, tags and tokens that derive from the run. With them, a repeated step finds what an earlier attempt made, even if
//! the answer was lost.

use crate::{DbSnapshotId, FleetName, Role, RunRef, SubnetId, Version};
use sha2::{Digest, Sha256};

/// The fleet tag, on everything that belongs to a fleet. Its value is the fleet's name.
pub const FLEET_TAG: &str = "fleetwright:fleet";
/// The tag of a data server that may be backed up. Its value is the name of the fleet whose data it holds.
pub const DATA_TAG: &str = "fleetwright:data-of";
/// The tag of everything that a run made. Its value is the run's id.
pub const RUN_TAG: &str = "fleetwright:run";
/// The tag of an instance that a run made. Its value is its role: `builder` or `member`.
pub const ROLE_TAG: &str = "fleetwright:role";
/// The tag of a golden image. Its value is the version that the image has installed.
pub const VERSION_TAG: &str = "fleetwright:version";

/// The client token of one launch.
///
/// The subnet is part of the token because EC2's tokens are zonal: one token in two zones launches twice. The round
/// distinguishes a launch that replaces missing capacity from the first one. A token has 64 hexadecimal digits, the most that
/// EC2 accepts.
pub fn client_token(run: &RunRef, role: Role, subnet: &SubnetId, round: u32) -> String {
    hex(&[run.fleet.as_str(), run.id.as_str(), role.as_str(), subnet.as_str(), &round.to_string()])
}

/// The name of the image that a run makes. EC2 refuses a second image of the same name, so `CreateImage` cannot succeed twice.
///
/// Image names are unique in an account and region and have 3 to 128 characters.
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

/// The name of the DB snapshot that a run takes of an RDS instance. RDS refuses a second snapshot of the same name.
///
/// The name is unique in an account and region. It has letters, digits and single hyphens.
pub fn db_snapshot_id(run: &RunRef) -> DbSnapshotId {
    DbSnapshotId::of_run(&hex(&[run.fleet.as_str(), run.id.as_str()])[..32])
}

/// The comment of one hop's command, at most 100 characters. Run Command has no client token, so a repeated step finds the
/// command by this comment.
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
    fn a_token_is_the_same_for_the_same_launch_and_different_for_any_other() {
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
