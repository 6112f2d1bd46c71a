//! The phases of a run, and the legal moves between them.

use serde::{Deserialize, Serialize};

/// The phase that a run is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// On the forward path, before the commit.
    Forward,
    /// Waiting for an operator's approval before the commit.
    AwaitingApproval {
        /// The Step Functions task token. The operator's answer must carry it.
        token: String,
    },
    /// Committed: the run deletes the leaving members, and cannot roll back.
    Committed,
    /// On the rollback path.
    RollingBack,
    /// Ended, with this outcome.
    Ended(Outcome),
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All members run the ordered version.
    Upgraded,
    /// All members are clones of the ordered kept image.
    Reverted,
    /// The fleet is in its declared state: its members are in service, and the left-overs of ended runs are gone.
    Restored,
    /// The fleet has more members, or fewer.
    Scaled,
    /// The fleet has a new golden image and the same members as before.
    ImageTaken,
    /// The fleet is as it was before the run.
    RolledBack,
    /// The run could go neither forward nor back. An operator must repair it.
    Frozen,
}

/// A move that a run cannot make.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {from} cannot become {to}")]
pub struct IllegalMove {
    from: &'static str,
    to: &'static str,
}

impl Phase {
    /// The phase in words, for output and errors.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Forward => "going forward",
            Self::AwaitingApproval { .. } => "awaiting approval",
            Self::Committed => "deleting the leaving members",
            Self::RollingBack => "rolling back",
            Self::Ended(Outcome::Upgraded) => "upgraded",
            Self::Ended(Outcome::Reverted) => "reverted",
            Self::Ended(Outcome::Restored) => "restored",
            Self::Ended(Outcome::Scaled) => "scaled",
            Self::Ended(Outcome::ImageTaken) => "image taken",
            Self::Ended(Outcome::RolledBack) => "rolled back",
            Self::Ended(Outcome::Frozen) => "frozen",
        }
    }

    pub(crate) fn move_to(&mut self, next: Phase) -> Result<(), IllegalMove> {
        if !self.leads_to(&next) {
            return Err(IllegalMove { from: self.as_str(), to: next.as_str() });
        }
        *self = next;
        Ok(())
    }

    /// Whether a run may move from this phase to `next`. Staying is always legal, because a repeated step repeats its move.
    fn leads_to(&self, next: &Phase) -> bool {
        use Phase::{AwaitingApproval, Committed, Ended, Forward, RollingBack};
        match (self, next) {
            (
                Forward | AwaitingApproval { .. },
                AwaitingApproval { .. } | Committed | RollingBack | Ended(Outcome::Frozen),
            ) => true,
            // A run that only adds members, or that returns its source member, has nothing to commit.
            (Forward, Ended(Outcome::Scaled | Outcome::ImageTaken)) => true,
            (Committed, Ended(Outcome::Upgraded | Outcome::Reverted | Outcome::Scaled | Outcome::Frozen)) => true,
            // A scale-out that rolls back keeps the members that are already in service.
            (RollingBack, Ended(Outcome::RolledBack | Outcome::Restored | Outcome::Scaled | Outcome::Frozen)) => true,
            // The record of a frozen run tells which of the two paths it resumes on.
            (Ended(Outcome::Frozen), Committed | RollingBack) => true,
            _ => self == next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_committed_run_cannot_roll_back_and_only_a_frozen_run_can_change_after_its_end() {
        let phases = [
            Phase::Forward,
            Phase::AwaitingApproval { token: "t".to_owned() },
            Phase::Committed,
            Phase::RollingBack,
            Phase::Ended(Outcome::Upgraded),
            Phase::Ended(Outcome::Reverted),
            Phase::Ended(Outcome::Restored),
            Phase::Ended(Outcome::Scaled),
            Phase::Ended(Outcome::ImageTaken),
            Phase::Ended(Outcome::RolledBack),
            Phase::Ended(Outcome::Frozen),
        ];
        let legal: Vec<String> = phases
            .iter()
            .map(|from| phases.iter().map(|to| if from.leads_to(to) { 'x' } else { '.' }).collect())
            .collect();
        assert_eq!(
            legal,
            [
                "xxxx...xx.x",
                ".xxx......x",
                "..x.xx.x..x",
                "...x..xx.xx",
                "....x......",
                ".....x.....",
                "......x....",
                ".......x...",
                "........x..",
                ".........x.",
                "..xx......x"
            ]
        );
    }
}
