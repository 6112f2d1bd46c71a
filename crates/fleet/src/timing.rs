//! Decides whether a run may start now. If the configuration has windows, an upgrade must end inside one of them.

use crate::{Config, Outcome, Phase, Refusal, Run, Span, expected_length, percentile_95};
use jiff::Timestamp;

/// Checks that an upgrade with this number of `hops` that starts now ends inside a window.
///
/// The expected length comes from the fleet's `past` upgrades with as many hops, or from the `rehearsed` lengths.
///
/// # Errors
/// [`Refusal::Window`] if the upgrade would not end inside a window, with the expected length and the next possible start.
/// [`Refusal::UnknownLength`] if there are neither past upgrades nor rehearsals.
pub fn check_window(
    config: &Config,
    hops: usize,
    past: &[Run],
    rehearsed: &[Span],
    now: Timestamp,
) -> Result<(), Refusal> {
    let windows = &config.upgrade.windows;
    if windows.is_empty() {
        return Ok(());
    }
    let expected = expected_length(&lengths(past, hops), rehearsed).ok_or(Refusal::UnknownLength)?;
    windows.permits(now, expected.length()).map_err(Refusal::Window)
}

/// Checks that a golden-image run may start now. It must begin inside a window. If past golden-image runs tell its length, it
/// must also end inside the window.
///
/// # Errors
/// [`Refusal::Window`], with the next possible start.
pub fn check_window_of_image(config: &Config, past: &[Run], now: Timestamp) -> Result<(), Refusal> {
    let taken = past.iter().filter(|run| run.phase == Phase::Ended(Outcome::ImageTaken));
    let expected = percentile_95(&took(taken)).unwrap_or(Span::seconds(0));
    config.upgrade.windows.permits(now, expected).map_err(Refusal::Window)
}

/// The lengths of the past upgrades that succeeded with this number of hops.
pub fn lengths(past: &[Run], hops: usize) -> Vec<Span> {
    took(past.iter().filter(|run| run.phase == Phase::Ended(Outcome::Upgraded) && run.hops.len() == hops))
}

fn took<'a>(runs: impl Iterator<Item = &'a Run>) -> Vec<Span> {
    let took = runs.filter_map(|run| u32::try_from(run.ended?.duration_since(run.started).as_secs()).ok());
    took.map(Span::seconds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(windows: &str) -> Config {
        let sample = include_str!("../../../samplconfig.toml");
        let table = format!("[upgrade]\nwindows = {windows}\n");
        Config::from_toml(&sample.replacen("[upgrade]\n", &table, 1)).unwrap()
    }

    fn check(windows: &str, rehearsed: &[u32], now: &str) -> Result<(), String> {
        let rehearsed: Vec<_> = rehearsed.iter().map(|minutes| Span::minutes(*minutes)).collect();
        let checked = check_window(&config(windows), 1, &[], &rehearsed, now.parse().unwrap());
        checked.map_err(|refusal| refusal.to_string())
    }

    const SUNDAY: &str = "[{ days = [\"sun\"], from = \"02:00\", to = \"05:00\", time_zone = \"Europe/Berlin\" }]";

    #[test]
    fn a_run_may_start_if_it_ends_inside_a_window_or_there_are_no_windows() {
        assert_eq!(check("[]", &[], "2026-11-25T12:00:00Z"), Ok(()));
        assert_eq!(check(SUNDAY, &[30], "2026-11-29T02:00:00Z"), Ok(()));
    }

    #[test]
    fn a_run_that_would_end_outside_is_refused_with_its_length_and_the_next_start() {
        let refused = check(SUNDAY, &[30, 120], "2026-11-29T02:30:00Z").unwrap_err();
        assert!(refused.starts_with("upgrade.windows: a run of 2h from 2026-11-29T02:30:00Z"), "{refused}");
        assert!(refused.contains("2026-12-06T01:00:00Z"), "{refused}");
        let closed = check(SUNDAY, &[30], "2026-11-25T12:00:00Z").unwrap_err();
        assert!(closed.contains("no window is open") && closed.contains("2026-11-29T01:00:00Z"), "{closed}");
        let unknown = check(SUNDAY, &[], "2026-11-29T02:00:00Z").unwrap_err();
        assert!(unknown.contains("takes_seconds"), "{unknown}");
    }
}
