//! Whether an upgrade may start now: it must end inside one of the windows that the configuration has, if it has any.

use crate::{Config, Outcome, Phase, Refusal, Run, Span, expected_length, percentile_95};
use jiff::Timestamp;

/// Checks that an upgrade through so many `hops` that starts now ends inside a window. How long it takes is known by the
/// fleet's own upgrades through as many, or by what those who start it have `rehearsed`.
///
/// # Errors
/// [`Refusal::Window`] when it does not, with the estimate and when it would; [`Refusal::UnknownLength`] when nothing is
/// known about how long it takes.
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

/// Whether an image may be taken of a member now: that begins inside a window, and ends in it if past ones tell how long it
/// takes.
///
/// # Errors
/// Why not, and when it may.
pub fn check_window_of_image(config: &Config, past: &[Run], now: Timestamp) -> Result<(), Refusal> {
    let taken = past.iter().filter(|run| run.phase == Phase::Ended(Outcome::ImageTaken));
    let expected = percentile_95(&took(taken)).unwrap_or(Span::seconds(0));
    config.upgrade.windows.permits(now, expected).map_err(Refusal::Window)
}

/// How long those upgrades took that went through as many hops.
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
    fn a_run_that_ends_inside_a_window_may_start_and_any_may_where_there_is_none() {
        assert_eq!(check("[]", &[], "2026-11-25T12:00:00Z"), Ok(()));
        assert_eq!(check(SUNDAY, &[30], "2026-11-29T02:00:00Z"), Ok(()));
    }

    #[test]
    fn one_that_does_not_is_refused_with_the_estimate_and_when_it_may() {
        let refused = check(SUNDAY, &[30, 120], "2026-11-29T02:30:00Z").unwrap_err();
        assert!(refused.starts_with("upgrade.windows: a run of 2h from 2026-11-29T02:30:00Z"), "{refused}");
        assert!(refused.contains("2026-12-06T01:00:00Z"), "{refused}");
        let closed = check(SUNDAY, &[30], "2026-11-25T12:00:00Z").unwrap_err();
        assert!(closed.contains("no window is open") && closed.contains("2026-11-29T01:00:00Z"), "{closed}");
        let unknown = check(SUNDAY, &[], "2026-11-29T02:00:00Z").unwrap_err();
        assert!(unknown.contains("takes_seconds"), "{unknown}");
    }
}
