//! When an upgrade disturbs the fewest: the quietest window of a week, and the windows in which one is allowed.
//!
//! All of it is a function of what was observed and of the instant that is asked about. Local time is the fleet's: an
//! hour that does not exist on a day is left out, and of one that occurs twice the first counts, as EventBridge
//! Scheduler does (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html>).

mod local_zone;
mod pattern;
mod quarters;
mod quietest;
mod run_length;
mod time_of_day;
mod trace;
mod trace_file;
mod weekday;
mod weekly_time;
mod window;
mod windows;

pub use local_zone::LocalZone;
pub use pattern::Period;
pub use quietest::{Hindsight, QuietError, QuietWindow, Seen, quietest};
pub use run_length::{ExpectedLength, expected_length, percentile_95};
pub use trace::{Trace, TraceError};
pub use weekly_time::WeeklyTime;
pub use window::Window;
pub use windows::{NotPermitted, Windows};
