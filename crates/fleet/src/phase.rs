//! Where a run stands, and the moves that it can make.

use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Making and bringing in the new.
    Forward,
    /// A person is asked before the old members are deleted; the token answers.
    AwaitingApproval {
        /// What Step Functions wants back with the answer.
        token: String,
    },
    /// The old members are being deleted: no way back.
    Committed,
    /// Restoring what was before.
    RollingBack,
    /// Over.
    Ended(Outcome),
}

/// How a run can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The fleet runs the wanted version.
    Upgraded,
    /// The fleet runs on the kept image that it was to go back to.
    Reverted,
    /// The fleet is as it was declared: its members in, what ended runs left behind gone.
    Restored,
    /// The fleet has more members, or fewer.
    Scaled,
    /// The fleet has a golden image, and its members are those that it had.
    ImageTaken,
    /// The fleet is as it was before.
    RolledBack,
    /// Neither could be reached; a person is needed.
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
    /// A word for people.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Forward => "going forward",
            Self::AwaitingApproval { .. } => "awaiting approval",
            Self::Committed => "deleting the old members",
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

    /// Whether a run may go from here to `next`. Staying is always legal: a step that is asked again repeats its move.
    fn leads_to(&self, next: &Phase) -> bool {
        use Phase::{AwaitingApproval, Committed, Ended, Forward, RollingBack};
        match (self, next) {
            (
                Forward | AwaitingApproval { .. },
                AwaitingApproval { .. } | Committed | RollingBack | Ended(Outcome::Frozen),
            ) => true,
            // Who only adds members, or borrows one, has nothing to be committed to.
            (Forward, Ended(Outcome::Scaled | Outcome::ImageTaken)) => true,
            (Committed, Ended(Outcome::Upgraded | Outcome::Reverted | Outcome::Scaled | Outcome::Frozen)) => true,
            // A scale-out that gives up keeps who has come into service.
            (RollingBack, Ended(Outcome::RolledBack | Outcome::Restored | Outcome::Scaled | Outcome::Frozen)) => true,
            // Who takes a frozen run up knows by its record which of the two is right.
            (Ended(Outcome::Frozen), Committed | RollingBack) => true,
            _ => self == next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_cannot_roll_back_once_the_old_are_being_deleted_nor_change_after_its_end_unless_it_is_frozen() {
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
