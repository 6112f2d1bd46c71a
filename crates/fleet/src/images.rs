//! The kept images of a fleet, and which of them a run deletes.

use crate::{FleetRecord, Golden, ImageId, InvalidId, Refusal, Run, Version, Workflow};
use serde::{Deserialize, Serialize};

/// A kept image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptImage {
    /// The image.
    pub image: ImageId,
    /// The version installed in it.
    pub version: Version,
    /// Why the image is in quarantine, if it is. Only an operator who names the image can use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<String>,
}

impl FleetRecord {
    /// The last good image: the latest kept image that is not in quarantine. A revert uses it by default.
    pub fn last_good(&self) -> Option<&KeptImage> {
        self.images.iter().find(|kept| kept.quarantine.is_none())
    }

    /// The image to revert to: the golden image or a kept image. An image in quarantine must be named.
    ///
    /// # Errors
    /// [`Refusal::NothingKept`] if no kept image is known to be good. [`Refusal::NotKept`] if the named image is not kept.
    pub fn kept(&self, revert_to: &RevertTo) -> Result<Golden, Refusal> {
        let fleet = || self.name().clone();
        let found = match revert_to {
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

    /// Makes `golden` the golden image and keeps the former one, in quarantine if `because` gives a reason. Repeating the call
    /// changes nothing.
    pub fn promote(&mut self, golden: Golden, because: Option<String>) {
        if self.golden.as_ref() == Some(&golden) {
            return;
        }
        self.images.retain(|kept| kept.image != golden.image);
        if let Some(Golden { image, version, .. }) = self.golden.replace(golden) {
            self.images.insert(0, KeptImage { image, version, quarantine: because });
        }
    }

    /// Keeps an image whose members failed, in quarantine. Repeating the call changes nothing.
    pub fn quarantine(&mut self, image: ImageId, version: Version, why: String) {
        match self.images.iter_mut().find(|kept| kept.image == image) {
            Some(kept) => drop(kept.quarantine.get_or_insert(why)),
            None if self.golden.as_ref().is_some_and(|golden| golden.image == image) => {}
            None => self.images.insert(0, KeptImage { image, version, quarantine: Some(why) }),
        }
    }

    /// The kept images to delete after [`FleetRecord::promote`] with the same arguments: all but the latest
    /// `upgrade.keep_images`, and never the last good one.
    pub fn outdated(&self, golden: Golden, because: Option<String>) -> Vec<ImageId> {
        let mut after = self.clone();
        after.promote(golden, because);
        let last_good = after.last_good().map(|kept| kept.image.clone());
        let beyond = after.images.into_iter().skip(self.config.upgrade.keep_images as usize).map(|kept| kept.image);
        beyond.filter(|image| Some(image) != last_good.as_ref()).collect()
    }

    /// Removes a deleted image from the record.
    pub fn forget(&mut self, image: &ImageId) {
        self.images.retain(|kept| kept.image != *image);
    }
}

/// The image that an operator reverts to, written `last-good` or as an image id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RevertTo {
    /// The last good image.
    LastGood,
    /// This image, even if it is in quarantine.
    Named(ImageId),
}

const LAST_GOOD: &str = "last-good";

/// A text that names no image to revert to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}, or '{LAST_GOOD}'")]
pub struct InvalidRevertTo(InvalidId);

impl TryFrom<String> for RevertTo {
    type Error = InvalidRevertTo;

    fn try_from(text: String) -> Result<Self, InvalidRevertTo> {
        if text == LAST_GOOD {
            return Ok(Self::LastGood);
        }
        text.parse().map(Self::Named).map_err(InvalidRevertTo)
    }
}

impl From<RevertTo> for String {
    fn from(revert_to: RevertTo) -> String {
        match revert_to {
            RevertTo::LastGood => LAST_GOOD.to_owned(),
            RevertTo::Named(image) => image.into(),
        }
    }
}

impl Run {
    /// The golden image after the run succeeds, and the reason if the former golden image goes into quarantine. `None` as long
    /// as the run has no image, and for scaling runs.
    pub fn successor(&self) -> Option<(Golden, Option<String>)> {
        if self.workflow.scales() {
            return None;
        }
        let mut golden = Golden::new(self.image.clone()?, self.to);
        if let Some(source) = &self.source {
            let before = self.golden.iter().flat_map(|before| before.alike.iter().chain([&before.image]));
            golden.alike = before.chain([&source.image]).cloned().collect();
        }
        let because = (self.workflow == Workflow::Revert).then(|| format!("run {} reverted from it", self.run.id));
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
    fn a_former_golden_image_is_kept_once() {
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
    fn the_last_good_image_is_kept_whatever_the_limit() {
        let mut record = record(1);
        record.promote(golden(2), None);
        record.quarantine(golden(3).image, golden(3).version, "bad".to_owned());
        record.quarantine(golden(4).image, golden(4).version, "bad".to_owned());
        assert_eq!(kept(&record), ["4!", "3!", "1"]);
        // Once 5 is golden, 2 is the last good image.
        assert_eq!(record.outdated(golden(5), None), [4, 3, 1].map(|n| golden(n).image));
        // A revert to 1 puts 2, which is the latest, into quarantine. No good image is left.
        assert_eq!(record.outdated(golden(1), Some("bad".to_owned())), [4, 3].map(|n| golden(n).image));
    }

    #[test]
    fn as_many_images_are_kept_as_the_configuration_says() {
        let mut record = record(2);
        for n in 2..5 {
            record.promote(golden(n), None);
        }
        assert_eq!(kept(&record), ["3", "2", "1"]);
        assert_eq!(record.outdated(golden(5), None), [2, 1].map(|n| golden(n).image));
    }

    #[test]
    fn a_revert_names_an_image_or_the_last_good_one() {
        let target = |text: &str| RevertTo::try_from(text.to_owned());
        assert_eq!(target("last-good"), Ok(RevertTo::LastGood));
        assert_eq!(target("ami-00000001"), Ok(RevertTo::Named(golden(1).image)));
        assert!(target("ami-1").unwrap_err().to_string().contains("last-good"));
    }
}
