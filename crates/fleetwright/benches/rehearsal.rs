//! How long a rehearsed upgrade takes in real time, by the size of the fleet, and how many rehearsals per second the fault
//! search runs on all processors.
#![expect(clippy::expect_used, reason = "a benchmark of the sample as it is in the repository")]

use divan::Bencher;
use divan::counter::ItemsCount;
use fleet::Config;
use fleetwright::rehearse::fault_search::FaultSearch;
use fleetwright::rehearse::{Ending, Goal, RehearsalSpec, rehearse};

fn main() {
    divan::main();
}

#[divan::bench(args = [3, 100, 1000], sample_count = 10)]
fn upgrade(members: u32) {
    let rehearsed = rehearse(&spec(members), &mut |_| {}).expect("a rehearsal");
    assert_eq!(rehearsed.outcome, Ending::Upgraded);
}

/// Every fifth of the rehearsals with one fault, and a hundred with several.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn faults(bencher: Bencher) {
    let search = FaultSearch::new(&spec(3), 100).every(5);
    let run = || search.run(&mut |_| {}).expect("a search");
    bencher.counter(ItemsCount::new(run().runs)).bench_local(run);
}

fn spec(members: u32) -> RehearsalSpec {
    let mut config = Config::from_toml(include_str!("../../../samplconfig.toml")).expect("the sample is valid");
    config.fleet.size = members;
    RehearsalSpec::new(config, Goal::Upgrade { to: "1.4.14".parse().expect("a version") })
}
