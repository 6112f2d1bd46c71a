//! The images that a fleet keeps to go back to, and which of them may go.

use crate::{FleetRecord, Golden, ImageId, Refusal, Run, Version, Workflow};
use serde::{Deserialize, Serialize};

/// An image beside the golden one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptImage {
    /// The image.
    pub image: ImageId,
    /// The version installed in it.
    pub version: Version,
    /// Why nothing is launched from it unless an operator names it, if that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

impl FleetRecord {
    /// The image to go back to: the last one before the golden one that is not in quarantine.
    pub fn last_good(&self) -> Option<&KeptImage> {
        self.images.iter().find(|kept| kept.quarantine.is_none())
    }

    /// The image that `target` means, the golden one or one that is kept. One in quarantine is meant only by its name.
    ///
    /// # Errors
    /// When no image is kept that is known to be good, and when the one that is named is not kept.
    pub fn kept(&self, target: &RevertTo) -> Result<Golden, Refusal> {
        let fleet = || self.name().clone();
        let found = match target {
            RevertTo::LastGood => self.last_good().ok_or_else(|| Refusal::NothingKept { fleet: fleet() })?,
            RevertTo::Named(image) => {
                if let Some(golden) = self.golden.as_ref().filter(|golden| golden.image == *image) {
                    return Ok(golden.clone());
                }
                let kept = self.images.iter().find(|kept| kept.image == *image);
                kept.ok_or_else(|| Refusal::NotKept { fleet: fleet(), image: image.clone() })?
            }
        };
        Ok(Golden::new(found.image.clone(), found.version))
    }

    /// Makes `golden` the image that members are cloned from. The one before is kept, in quarantine if `because` says
    /// why. Repeating it changes nothing.
    pub fn promote(&mut self, golden: Golden, because: Option<String>) {
        if self.golden.as_ref() == Some(&golden) {
            return;
        }
        self.images.retain(|kept| kept.image != golden.image);
        if let Some(Golden { image, version, .. }) = self.golden.replace(golden) {
            self.images.insert(0, KeptImage { image, version, quarantine: because });
        }
    }

    /// Keeps an image that failed its verification, out of use. Repeating it changes nothing.
    pub fn quarantine(&mut self, image: ImageId, version: Version, why: String) {
        match self.images.iter_mut().find(|kept| kept.image == image) {
            Some(kept) => drop(kept.quarantine.get_or_insert(why)),
            None if self.golden.as_ref().is_some_and(|golden| golden.image == image) => {}
            None => self.images.insert(0, KeptImage { image, version, quarantine: Some(why) }),
        }
    }

    /// The images that go when `golden` is crowned, as [`FleetRecord::promote`] does it: all but the latest ones, as many
    /// as the configuration says, and never the last good one.
    pub fn outdated(&self, golden: Golden, because: Option<String>) -> Vec<ImageId> {
        let mut after = self.clone();
        after.promote(golden, because);
        let last_good = after.last_good().map(|kept| kept.image.clone());
        let beyond = after.images.into_iter().skip(self.config.upgrade.keep_images as usize).map(|kept| kept.image);
        beyond.filter(|image| Some(image) != last_good.as_ref()).collect()
    }

    /// Forgets an image that is gone.
    pub fn forget(&mut self, image: &ImageId) {
        self.images.retain(|kept| kept.image != *image);
    }
}

/// The image that an operator wants to go back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RevertTo {
    /// The last good one.
    LastGood,
    /// The one that is named, in quarantine or not.
    Named(ImageId),
}

const LAST_GOOD: &str = "last-good";

impl TryFrom<String> for RevertTo {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == LAST_GOOD {
            return Ok(Self::LastGood);
        }
        text.parse().map(Self::Named).map_err(|error| format!("{error}, or '{LAST_GOOD}'"))
    }
}

impl From<RevertTo> for String {
    fn from(target: RevertTo) -> String {
        match target {
            RevertTo::LastGood => LAST_GOOD.to_owned(),
            RevertTo::Named(image) => image.into(),
        }
    }
}

impl Run {
    /// What is golden once the run has gone through, and why the image before it goes into quarantine, if it does. None
    /// as long as the run has no image, and of one that scales.
    pub fn successor(&self) -> Option<(Golden, Option<String>)> {
        if self.workflow.scales() {
            return None;
        }
        let mut golden = Golden::new(self.image.clone()?, self.to);
        if let Some(source) = &self.source {
            let before = self.golden.iter().flat_map(|before| before.alike.iter().chain([&before.image]));
            golden.alike = before.chain([&source.image]).cloned().collect();
        }
        let because = (self.workflow == Workflow::Revert).then(|| format!("run {} went back from it", self.run.id));
        Some((golden, because))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn golden(n: u16) -> Golden {
        Golden::new(format!("ami-0000000{n}").parse().unwrap(), Version::new(1, n, 0))
    }

    fn record(keep: u32) -> FleetRecord {
        let mut config = Config::from_toml(include_str!("../../../samplconfig.toml")).unwrap();
        config.upgrade.keep_images = keep;
        FleetRecord { golden: Some(golden(1)), ..FleetRecord::new(config) }
    }

    fn kept(record: &FleetRecord) -> Vec<String> {
        let mark = |kept: &KeptImage| if kept.quarantine.is_some() { "!" } else { "" };
        record.images.iter().map(|kept| format!("{}{}", kept.version.minor().1, mark(kept))).collect()
    }

    #[test]
    fn what_was_golden_is_kept_and_what_is_golden_again_is_not_kept_twice() {
        let mut record = record(3);
        record.promote(golden(2), None);
        record.promote(golden(2), None);
        record.promote(golden(3), None);
        assert_eq!(kept(&record), ["2", "1"]);
        record.promote(golden(2), Some("bad".to_owned()));
        assert_eq!((record.golden.clone(), kept(&record)), (Some(golden(2)), vec!["3!".to_owned(), "1".to_owned()]));
        assert_eq!(record.last_good().map(|kept| kept.version), Some(Version::new(1, 1, 0)));
    }

    #[test]
    fn the_last_good_image_stays_however_few_are_kept() {
        let mut record = record(1);
        record.promote(golden(2), None);
        record.quarantine(golden(3).image, golden(3).version, "bad".to_owned());
        record.quarantine(golden(4).image, golden(4).version, "bad".to_owned());
        assert_eq!(kept(&record), ["4!", "3!", "1"]);
        // 2 is the last good one once 5 is golden.
        assert_eq!(record.outdated(golden(5), None), [4, 3, 1].map(|n| golden(n).image));
        // Who goes back to 1 condemns 2, which is the latest; no good one is left.
        assert_eq!(record.outdated(golden(1), Some("bad".to_owned())), [4, 3].map(|n| golden(n).image));
    }

    #[test]
    fn more_are_kept_if_the_configuration_says_so() {
        let mut record = record(2);
        for n in 2..5 {
            record.promote(golden(n), None);
        }
        assert_eq!(kept(&record), ["3", "2", "1"]);
        assert_eq!(record.outdated(golden(5), None), [2, 1].map(|n| golden(n).image));
    }

    #[test]
    fn a_target_is_an_image_or_the_last_good_one() {
        let target = |text: &str| RevertTo::try_from(text.to_owned());
        assert_eq!(target("last-good"), Ok(RevertTo::LastGood));
        assert_eq!(target("ami-00000001"), Ok(RevertTo::Named(golden(1).image)));
        assert!(target("ami-1").unwrap_err().contains("last-good"));
    }
}
