//! Seeded random draws. Each draw has a key, so that an additional call does not shift any other draw.

use std::time::Duration;

use crate::world::Range;

/// The seed of all draws.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dice {
    seed: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice { seed }
    }

    /// The latency of the `ordinal`th event of this kind, in whole milliseconds: tokio's timers are no finer.
    pub(crate) fn latency(self, kind: &str, ordinal: u64, range: Range) -> Duration {
        let low = millis(range.low);
        let high = millis(range.high).max(low);
        Duration::from_millis(self.rng(kind, ordinal).u64(low..=high))
    }

    /// An id such as `i-0123456789abcdef0`: the prefix and seventeen hexadecimal digits.
    pub(crate) fn id(self, prefix: &str, ordinal: u64) -> String {
        format!("{prefix}-0{:016x}", self.rng(prefix, ordinal).u64(..))
    }

    /// An id in the form of a version 4 UUID, such as a command's id.
    pub(crate) fn uuid(self, kind: &str, ordinal: u64) -> String {
        let bits = self.rng(kind, ordinal).u128(..);
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xffff,
            (bits >> 64) & 0xfff,
            (bits >> 48) & 0xfff,
            bits & 0xffff_ffff_ffff
        )
    }

    fn rng(self, kind: &str, ordinal: u64) -> fastrand::Rng {
        // FNV-1a over the kind, and a mixing round after each part, so that neighboring seeds, kinds and ordinals give
        // unrelated draws.
        let mut key = 0xcbf2_9ce4_8422_2325_u64;
        for byte in kind.bytes() {
            key = (key ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        fastrand::Rng::with_seed(mixed(mixed(key ^ mixed(self.seed)).wrapping_add(ordinal)))
    }
}

/// One round of `SplitMix64`.
fn mixed(key: u64) -> u64 {
    let key = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let key = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    key ^ (key >> 31)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_draw_depends_only_on_seed_kind_and_ordinal() {
        let range = Range::millis(0, 1_000_000_000);
        let draws: BTreeSet<_> = [(1, "a", 1), (2, "a", 1), (1, "b", 1), (1, "a", 2)]
            .map(|(seed, kind, ordinal)| Dice::new(seed).latency(kind, ordinal, range))
            .into();
        assert_eq!(draws.len(), 4);
        assert_eq!(Dice::new(1).latency("a", 1, range), Dice::new(1).latency("a", 1, range));
    }

    #[test]
    fn draws_cover_their_whole_range_and_stay_in_it() {
        let range = Range::millis(40, 45);
        let draws: BTreeSet<_> = (0..200).map(|n| Dice::new(7).latency("call", n, range).as_millis()).collect();
        assert_eq!(draws, (40..=45).collect());
    }

    #[test]
    fn ids_have_the_form_of_aws_ids() {
        let id = Dice::new(1).id("i", 0);
        assert_eq!(id.len(), "i-0123456789abcdef0".len());
        assert_eq!(Dice::new(1).uuid("command", 0).len(), 36);
    }
}
