use super::*;
use jiff::ToSpan;
use proptest::prelude::*;

/// A Monday, 00:00 UTC.
const MONDAY: &str = "2026-03-02T00:00:00Z";
const STEP: i64 = 300;

fn zone(name: &str) -> LocalZone {
    name.parse().unwrap()
}

/// A trace of five-minute counts from a Monday. `requests` gives the count of each step from the hours since that Monday.
fn trace(days: i64, requests: impl Fn(f64) -> Option<f64>) -> Trace {
    let monday: Timestamp = MONDAY.parse().unwrap();
    let steps = (0..days * DAY_SECONDS / STEP).filter_map(|step| {
        let count = requests(step as f64 * STEP as f64 / 3600.0)?;
        Some((monday + (step * STEP).seconds(), count))
    });
    Trace::from_points(steps).unwrap()
}

/// A course of day and night that is quietest at 03:00, with a quieter weekend: 20 to 120 requests for each step.
fn usual(hour: f64) -> f64 {
    let of_day = (hour - 3.0).rem_euclid(24.0);
    let from_night = of_day.min(24.0 - of_day) / 12.0;
    let level = if (hour / 24.0) as i64 % 7 >= 5 { 0.7 } else { 1.0 };
    level * (30.0 + 90.0 * from_night)
}

#[track_caller]
fn found(trace: &Trace, minutes: u32) -> QuietWindow {
    quietest(trace, &LocalZone::UTC, Span::minutes(minutes), &Windows::default(), trace.end()).unwrap()
}

#[track_caller]
fn check(window: &QuietWindow, start: &str) {
    assert_eq!(window.start.strftime("%a %H:%M").to_string(), start, "{}", window.because);
}

#[test]
fn the_quietest_window_lies_around_the_quietest_hour() {
    let window = found(&trace(14, |hour| Some(usual(hour))), 60);
    check(&window, "Sat 02:30");
    assert_eq!(window.pattern, Period::Week);
    assert_eq!(window.start.to_string(), "2026-03-21T02:30:00+00:00[UTC]");
    assert_eq!(window.end.duration_since(&window.start), jiff::SignedDuration::from_mins(60));
    let seen: Vec<_> = window.seen.iter().map(|seen| seen.start.strftime("%m-%d %H:%M").to_string()).collect();
    assert_eq!(seen, ["03-07 02:30", "03-14 02:30"]);
    let best = window.best.unwrap();
    assert_eq!((best.recurring.start.to_string(), best.recurring.requests), (best.single.start.to_string(), 267.8));
    assert_eq!(
        window.because,
        "Saturday 02:30 begins the quietest 1h of the week, by the 2 weeks that contain all of it: about 306 requests are expected, 37 % of the 823 in the average window and 1362 in the busiest (Friday 14:30)"
    );
}

#[test]
fn the_quiet_window_lies_inside_the_configured_windows() {
    let trace = trace(14, |hour| Some(usual(hour)));
    let windows = |text: &str| serde_json::from_str::<Windows>(text).unwrap();
    let of = |text: &str, length: Span| quietest(&trace, &LocalZone::UTC, length, &windows(text), trace.end());
    let hour = Span::minutes(60);

    let mondays = r#"[{"days": ["mon"], "from": "05:00", "to": "09:00", "time_zone": "UTC"}]"#;
    let window = of(mondays, hour).unwrap();
    check(&window, "Mon 05:00");
    assert!(window.because.contains("quietest 1h of the time that upgrade.windows allow"), "{}", window.because);
    assert!(window.expected_requests > found(&trace, 60).expected_requests);
    assert_eq!(window.peak_requests, found(&trace, 60).peak_requests, "it is compared with the whole week");

    let never = of(mondays, Span::minutes(300)).unwrap_err();
    assert_eq!(
        never.to_string(),
        "upgrade.windows: a run of 5h fits into no window: the longest is open for 4h; lengthen a window"
    );
}

#[test]
fn a_habit_that_every_week_shows_counts() {
    let hole = |hour: f64| (50.0..55.0).contains(&(hour % 168.0));
    check(&found(&trace(14, |hour| Some(if hole(hour) { 1.0 } else { usual(hour) })), 60), "Wed 04:00");
    let batch = |hour: f64| hour % 168.0 > 120.0 && (1.0..5.0).contains(&(hour % 24.0));
    let window = found(&trace(14, |hour| Some(usual(hour) * if batch(hour) { 4.0 } else { 1.0 })), 60);
    assert!(["Mon", "Tue", "Wed", "Thu", "Fri"].contains(&&*window.start.strftime("%a").to_string()), "{window:?}");
}

#[test]
fn an_event_in_one_week_does_not_count() {
    for week in [0.0, 168.0] {
        let during = |hour: f64, from: f64| (week + from..week + from + 4.0).contains(&hour);
        // By the mean of both weeks, the night of that Wednesday would be the quietest.
        let outage = trace(14, |hour| Some(if during(hour, 49.0) { 0.0 } else { usual(hour) }));
        check(&found(&outage, 60), "Sat 02:30");
        let storm = trace(14, |hour| Some(usual(hour) * if during(hour, 121.0) { 20.0 } else { 1.0 }));
        assert!(found(&storm, 60).start.hour() == 2 && found(&storm, 60).expected_requests < 400.0);
    }
}

#[test]
fn gaps_are_unknown_and_not_quiet() {
    // Each week lacks a night, one lacks busy hours, and single steps are missing.
    let missing = |hour: f64| (24.0..34.0).contains(&(hour % 168.0)) || (200.0..210.0).contains(&hour);
    let gaps = trace(14, |hour| (!missing(hour) && (hour * 12.0) as i64 % 13 != 0).then(|| usual(hour)));
    let window = found(&gaps, 60);
    check(&window, "Sat 02:30");
    assert_eq!(window.seen.len(), 2);
    let office_hours = trace(14, |hour| (6.0..20.0).contains(&(hour % 24.0)).then(|| usual(hour)));
    check(&found(&office_hours, 60), "Sat 06:00");
    let length = Span::minutes(15 * 60);
    let unknown = quietest(&office_hours, &LocalZone::UTC, length, &Windows::default(), office_hours.end());
    assert_eq!(unknown, Err(QuietError::Unknown { length }));
}

#[test]
fn a_trace_too_short_for_a_weekly_pattern_gives_a_daily_one_and_says_so() {
    let window = found(&trace(13, |hour| Some(usual(hour))), 60);
    assert_eq!((window.pattern, window.start.strftime("%a %H:%M").to_string()), (Period::Day, "Sun 02:30".to_owned()));
    assert!(window.because.contains("too short to distinguish the days of the week"), "{}", window.because);
    assert_eq!(window.seen.len(), 13);
    let short = trace(1, |hour| Some(usual(hour)));
    let error = quietest(&short, &LocalZone::UTC, Span::minutes(60), &Windows::default(), short.end()).unwrap_err();
    assert_eq!(error, QuietError::TooLittle { known_hours: 24 });
    // Two weeks with few known steps do not give a weekly pattern.
    let sparse = trace(14, |hour| ((hour as i64 / 24) % 5 == 0).then(|| usual(hour)));
    assert_eq!(found(&sparse, 60).pattern, Period::Day);
}

#[test]
fn lengths_that_do_not_fit_into_a_week_are_refused() {
    let week = trace(14, |hour| Some(usual(hour)));
    let of = |seconds: u32| quietest(&week, &LocalZone::UTC, Span::seconds(seconds), &Windows::default(), week.end());
    assert_eq!(of(0), Err(QuietError::Length { length: Span::seconds(0) }));
    assert_eq!(of(168 * 3600 + 1), Err(QuietError::Length { length: Span::seconds(168 * 3600 + 1) }));
    assert!(of(1).is_ok() && of(168 * 3600).is_ok());
    assert!(matches!(
        quietest(&week, &LocalZone::UTC, Span::minutes(1), &Windows::default(), Timestamp::MAX),
        Err(QuietError::After { .. })
    ));
}

#[test]
fn without_requests_the_first_window_is_the_quiet_one() {
    let window = found(&trace(14, |_| Some(0.0)), 60);
    assert_eq!((window.expected_requests, window.share_of_mean), (0.0, 1.0));
    check(&window, "Mon 00:00");
}

#[test]
fn the_quiet_window_follows_the_fleets_clock_through_summer_time() {
    // The users follow the clock in Berlin, which goes from 02:00 to 03:00 on Sunday 29 March 2026. Their quietest time is
    // Sunday 02:00 to 04:00. On that Sunday, it is only an hour long.
    let berlin = zone("Europe/Berlin");
    let monday: Timestamp = MONDAY.parse().unwrap();
    let quiet = |hour: f64| {
        let local = (monday + ((hour * 60.0) as i64).minutes()).to_zoned(berlin.rules().clone());
        if local.weekday() == jiff::civil::Weekday::Sunday && (2..4).contains(&local.hour()) { 1.0 } else { 100.0 }
    };
    let trace = trace(27, |hour| Some(quiet(hour)));
    let of = |after: &str, minutes: u32| {
        let window =
            quietest(&trace, &berlin, Span::minutes(minutes), &Windows::default(), after.parse().unwrap()).unwrap();
        (window.start.to_string(), window.expected_requests)
    };
    let (before, expected) = of("2026-03-16T12:00:00Z", 120);
    assert_eq!(before, "2026-03-22T02:00:00+01:00[Europe/Berlin]");
    let (changed, more) = of("2026-03-23T12:00:00Z", 60);
    assert_eq!(changed, "2026-03-29T03:00:00+02:00[Europe/Berlin]");
    assert!((more - expected / 2.0).abs() <= 0.1, "one hour has half the requests of two: {more}, {expected}");
    // In autumn, that hour occurs twice, so that a window of three hours fits.
    let (twice, _) = of("2026-10-19T12:00:00Z", 180);
    assert_eq!(twice, "2026-10-25T02:00:00+02:00[Europe/Berlin]");
}

proptest! {
    // Each case reads up to a month of five-minute steps twice.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_quiet_window_is_consistent(
        seed in prop::collection::vec(0..1000_u32, 31..97), lost in 2..40_i64, days in 3..30_i64, length in 1..400_u32,
        after in -2_000_000..2_000_000_i64, name in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kathmandu"]),
    ) {
        let noise = |hour: f64| f64::from(seed[(hour * 12.0) as usize % seed.len()]);
        let of = |scale: f64| trace(days, |hour| ((hour * 12.0) as i64 % lost != 0).then(|| scale * noise(hour)));
        let (one, eight) = (of(1.0), of(8.0));
        let after = one.end() + after.seconds();
        let find = |trace: &Trace| quietest(trace, &zone(name), Span::minutes(length), &Windows::default(), after);
        let Ok(window) = find(&one) else {
            prop_assert!(days < 5 || lost < 4);
            return Ok(());
        };
        let start = window.start.timestamp();
        prop_assert!(after <= start && start < after + 169.hours());
        prop_assert_eq!(start.as_second() % 900, 0);
        prop_assert!(window.expected_requests <= window.mean_requests + 0.1);
        prop_assert!(window.mean_requests <= window.peak_requests + 0.1);
        if let Some(best) = &window.best {
            prop_assert!(window.seen.iter().all(|seen| best.single.requests <= seen.requests));
            prop_assert!(best.single.requests <= best.recurring.requests);
        }
        // Eight times the requests have the same quiet window.
        prop_assert_eq!(find(&eight).unwrap().start, window.start);
    }
}
