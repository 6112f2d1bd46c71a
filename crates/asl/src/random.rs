//! The random numbers of an execution: jitter, `States.MathRandom`, `States.UUID` and task tokens.
//!
//! One generator makes them all. The execution's id seeds it, so the same id gives the same numbers.

use std::cell::Cell;

use sha2::{Digest, Sha256};

/// The splitmix64 generator.
#[derive(Debug)]
pub(crate) struct Random(Cell<u64>);

impl Random {
    pub(crate) fn from_text(seed: &str) -> Random {
        let digest = Sha256::digest(seed.as_bytes());
        Random::from_seed(digest.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte)))
    }

    pub(crate) fn from_seed(seed: u64) -> Random {
        Random(Cell::new(seed))
    }

    pub(crate) fn next(&self) -> u64 {
        let state = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number of at least 0 and less than 1.
    pub(crate) fn unit(&self) -> f64 {
        // An f64 has 53 bits of precision.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number of at least `start` and less than `end`. `end` must be greater than `start`.
    pub(crate) fn between(&self, start: i64, end: i64) -> i64 {
        let width = end.wrapping_sub(start) as u64;
        start.wrapping_add((self.next() % width.max(1)) as i64)
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(&self) -> String {
        let high = self.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000;
        let low = self.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000;
        let hex = format!("{high:016x}{low:016x}");
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (one, two, other) = (Random::from_text("a"), Random::from_text("a"), Random::from_text("b"));
        assert_eq!(one.uuid(), two.uuid());
        assert_ne!(one.uuid(), other.uuid());
    }

    #[test]
    fn a_uuid_has_its_version_and_variant() {
        let uuid = Random::from_seed(7).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }

    #[test]
    fn numbers_stay_in_range() {
        let random = Random::from_seed(1);
        for _ in 0..1000 {
            assert!((-3..4).contains(&random.between(-3, 4)));
            assert!((0.0..1.0).contains(&random.unit()));
        }
    }
}
