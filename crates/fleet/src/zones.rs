//! How many members each zone gets.

/// Spreads `count` over `zones` as evenly as possible, the first zones taking what is left over.
///
/// Answers one number a zone, in the order of the zones; their sum is `count` unless there are no zones.
pub fn spread(count: u32, zones: usize) -> Vec<u32> {
    let Ok(zones @ 1..) = u32::try_from(zones) else { return Vec::new() };
    (0..zones).map(|zone| count / zones + u32::from(zone < count % zones)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_zones_take_what_is_left_over() {
        assert_eq!(spread(3, 3), [1, 1, 1]);
        assert_eq!(spread(4, 3), [2, 1, 1]);
        assert_eq!(spread(1, 2), [1, 0]);
        assert_eq!(spread(5, 0), [0; 0]);
    }

    proptest! {
        #[test]
        fn nobody_is_lost_and_zones_differ_by_one_at_most(count in 0u32..5000, zones in 1usize..7) {
            let parts = spread(count, zones);
            prop_assert_eq!(parts.iter().sum::<u32>(), count);
            prop_assert!(parts.iter().max().unwrap() - parts.iter().min().unwrap() <= 1);
        }
    }
}
