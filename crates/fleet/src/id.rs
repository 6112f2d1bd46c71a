//! Ids that check their form when they are read.
//!
//! A state machine passes untyped JSON. A wrong path must fail where a step reads its input, with the name of the field.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that does not have the form of the expected id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is not {kind}: {shape}")]
pub struct InvalidId {
    kind: &'static str,
    shape: &'static str,
    found: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident is $kind:literal, $shape:literal, $check:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id as AWS and people write it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                let fits: fn(&str) -> bool = $check;
                if fits(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId { kind: $kind, shape: $shape, found: text })
                }
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.to_owned().try_into()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// An EC2 instance, `i-…`.
    InstanceId is "an instance id", "expected 'i-' and 8 or 17 hexadecimal digits", |t| resource(t, "i-");
    /// An Amazon Machine Image, `ami-…`.
    ImageId is "an image id", "expected 'ami-' and 8 or 17 hexadecimal digits", |t| resource(t, "ami-");
    /// A snapshot of a volume, `snap-…`.
    SnapshotId is "a snapshot id", "expected 'snap-' and 8 or 17 hexadecimal digits", |t| resource(t, "snap-");
    /// An RDS instance's identifier.
    DbInstanceId is "an RDS instance's identifier", "expected 1 to 63 letters, digits and '-', starting with a letter",
        |t| t.starts_with(|c: char| c.is_ascii_alphabetic()) && word(t, "-", 63);
    /// An RDS snapshot's identifier.
    DbSnapshotId is "an RDS snapshot's identifier", "expected 1 to 255 letters, digits and '-', starting with a letter",
        |t| t.starts_with(|c: char| c.is_ascii_alphabetic()) && word(t, "-", 255);
    /// A subnet, `subnet-…`.
    SubnetId is "a subnet id", "expected 'subnet-' and 8 or 17 hexadecimal digits", |t| resource(t, "subnet-");
    /// A security group, `sg-…`.
    SecurityGroupId is "a security group id", "expected 'sg-' and 8 or 17 hexadecimal digits", |t| resource(t, "sg-");
    /// An availability zone, such as `eu-central-1a`.
    Zone is "an availability zone", "expected a region and a letter, such as 'eu-central-1a'",
        |t| t.ends_with(|c: char| c.is_ascii_lowercase()) && t.matches('-').count() >= 2 && word(t, "-", 32);
    /// An instance type, such as `c6i.large`.
    InstanceType is "an instance type", "expected a family and a size, such as 'c6i.large'",
        |t| t.split_once('.').is_some_and(|(family, size)| word(family, "-", 24) && word(size, "-", 24));
    /// A target group's ARN.
    TargetGroupArn is "a target group's ARN",
        "expected 'arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/NAME/ID'",
        |t| t.starts_with("arn:aws") && t.contains(":elasticloadbalancing:") && t.contains(":targetgroup/") && word(t, "-:/", 256);
    /// A Run Command invocation, a UUID.
    CommandId is "a command id", "expected a UUID", |t| t.len() == 36 && word(t, "-", 36);
    /// A fleet's name. Tags, image names and the ledger's keys contain it.
    FleetName is "a fleet's name", "expected 1 to 32 lowercase letters, digits and '-', starting with a letter",
        |t| t.starts_with(|c: char| c.is_ascii_lowercase()) && t.len() <= 32
            && t.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    /// A run's id: the name of its Step Functions execution.
    RunId is "a run's id", "expected 1 to 80 letters, digits, '-' and '_' (an execution's name)", |t| word(t, "-_", 80);
    /// A plan's fingerprint: SHA-256 over the start of a run.
    Fingerprint is "a plan's fingerprint", "expected 64 hexadecimal digits", |t| t.len() == 64 && word(t, "", 64);
}

impl DbSnapshotId {
    /// The snapshot's name from hexadecimal `digits` that derive from the run.
    pub(crate) fn of_run(digits: &str) -> Self {
        Self(format!("fleetwright-{digits}"))
    }
}

impl Fingerprint {
    pub(crate) fn of(digest: [u8; 32]) -> Self {
        Self(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl TargetGroupArn {
    /// The name of the target group in CloudWatch's dimensions: `targetgroup/NAME/ID`.
    pub fn resource(&self) -> &str {
        self.0.rsplit(':').next().unwrap_or_default()
    }
}

impl Zone {
    /// The region of the zone: `eu-central-1` of `eu-central-1a`.
    pub fn region(&self) -> &str {
        self.0.trim_end_matches(|c: char| c.is_ascii_lowercase())
    }
}

fn resource(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|hex| matches!(hex.len(), 8 | 17) && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')))
}

fn word(text: &str, extra: &str, longest: usize) -> bool {
    !text.is_empty() && text.len() <= longest && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_another_kind_is_refused_with_its_expected_form() {
        let error = "ami-0a1b2c3d4e5f60718".parse::<InstanceId>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "'ami-0a1b2c3d4e5f60718' is not an instance id: expected 'i-' and 8 or 17 hexadecimal digits"
        );
    }

    #[test]
    fn only_texts_of_the_right_form_are_ids() {
        assert!("i-0a1b2c3d".parse::<InstanceId>().is_ok());
        assert!("i-0A1b2c3d".parse::<InstanceId>().is_err());
        assert!("eu-central-1".parse::<Zone>().is_err());
        assert_eq!("eu-central-1a".parse::<Zone>().unwrap().region(), "eu-central-1");
        assert!("c6i.large".parse::<InstanceType>().is_ok());
        assert!("large".parse::<InstanceType>().is_err());
        assert!("Fleet".parse::<FleetName>().is_err());
        assert!("; rm -rf /".parse::<RunId>().is_err());
    }
}
