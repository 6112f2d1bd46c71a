//! How long a rehearsed upgrade takes in real time, by the size of the fleet.
#![expect(clippy::expect_used, reason = "a benchmark of the sample as it is in the repository")]

use fleet::Config;
use fleetwright::rehearse::{Ending, Plan, rehearse};

fn main() {
    divan::main();
}

#[divan::bench(args = [3, 100, 1000], sample_count = 10)]
fn upgrade(members: u32) {
    let mut config = Config::from_toml(include_str!("../../../samplconfig.toml")).expect("the sample is valid");
    config.fleet.size = members;
    let plan = Plan { config, to: "1.4.14".parse().expect("a version"), faults: vec![] };
    let rehearsed = rehearse(&plan, &mut |_| {}).expect("a rehearsal");
    assert_eq!(rehearsed.outcome, Ending::Upgraded);
}
