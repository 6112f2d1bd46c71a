//! Whether upgrades of a thousand seeds keep every invariant, and how close they are to their physical limit. The benchmark
//! prints figures of the rehearsals, not its own times.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark of the sample as it is in the repository")]

use fleet::Config;
use fleetwright::rehearse::{Ending, Goal, RehearsalSpec, Rehearsed, rehearse};

fn main() {
    report("1,000 seeds, 3 members", (1..=1000).map(|seed| upgrade(3, seed)));
    report("10 seeds, 100 members", (1..=10).map(|seed| upgrade(100, seed)));
    report("3 seeds, 1000 members", (1..=3).map(|seed| upgrade(1000, seed)));
}

fn upgrade(members: u32, seed: u64) -> Rehearsed {
    let mut config = Config::from_toml(include_str!("../../../samplconfig.toml")).expect("the sample is valid");
    config.fleet.size = members;
    config.rehearsal.seed = seed;
    let goal = Goal::Upgrade { to: "1.4.14".parse().expect("a version") };
    rehearse(&RehearsalSpec::new(config, goal), &mut |_| {}).expect("a rehearsal")
}

fn report(what: &str, runs: impl Iterator<Item = Rehearsed>) {
    let (mut count, mut upgraded, mut lost, mut sent, mut below, mut violated) = (0, 0, 0, 0, 0, 0);
    let (mut sum, mut worst, mut calls, mut cost) = (0.0, 0.0_f64, 0, 0.0);
    for run in runs {
        count += 1;
        upgraded += u32::from(run.outcome == Ending::Upgraded);
        sent += run.requests.sent;
        lost += run.requests.failed;
        below += u32::from(run.capacity.lowest < run.capacity.floor);
        violated += run.invariants.violated.len();
        let overhead = run.virtual_seconds / run.limit_seconds;
        sum += overhead;
        worst = worst.max(overhead);
        calls += run.calls.values().sum::<u64>();
        cost += run.cost_usd;
    }
    let n = f64::from(count);
    println!("{what}: {upgraded} of {count} upgraded, {violated} invariants violated");
    println!("  requests {sent} sent, {lost} lost; fewer members in service than at the start in {below} runs");
    println!("  virtual time / physical limit: mean {:.4}, worst {worst:.4}", sum / n);
    println!("  AWS calls per run: {:.0}; cost per run: ${:.3}", calls as f64 / n, cost / n);
}
