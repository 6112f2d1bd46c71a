//! Tests that the machine cannot run. libtest counts them as passed, so each says that it was skipped, past libtest's
//! capture, and how many were so far.

use std::io::{Write, stderr};
use std::sync::atomic::{AtomicU32, Ordering};

/// Says that the calling test is skipped, and why.
pub fn skip(why: &str) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // One write, so that no other test's line comes between.
    let _ = stderr().write_all(format!("\nSKIPPED {test}: {why} ({count} skipped so far)\n").as_bytes());
}
