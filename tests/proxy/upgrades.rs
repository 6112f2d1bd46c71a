//! Every fault at every operation of an upgrade on moto. What is there afterwards is looked at by a client that nothing
//! else here uses, and directly: members in service, tags, targets, images, the lock and the ledger, and what is of others.

use super::fixture::{Fixture, PATIENCE, RUN, TO};
use super::{Call, Service};
use asl::{Failure, Finished, Outcome};
use simulator::faults::{Fault, On};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// What a run comes to that may not take the old members out.
const UNTIL_OLD_OUT: [(&str, &str); 14] = [
    ("Staying healthy", "done"),
    ("Match joined members", "done"),
    ("Back up the data", "done"),
    ("Canary bakes", "done"),
    ("Canary healthy", "done"),
    ("Canary in", "done"),
    ("Create the builder", "done"),
    ("Create the members", "done"),
    ("Delete the builder", "done"),
    ("Install and migrate", "done"),
    ("Leaving out", "failed"),
    ("Stop the builder", "done"),
    ("Take the snapshot", "done"),
    ("Rest in", "done"),
];

#[track_caller]
fn assert_upgraded(faults: &[Fault]) -> Vec<Call> {
    let fixture = Fixture::set(faults);
    let finished = fixture.upgrade();
    let Outcome::Succeeded(output) = &finished.outcome else { panic!("{finished:?}\nunder {}", told(faults)) };
    assert_eq!(output["outcome"], "upgraded");
    fixture.proxy.assert_struck(faults);
    let builder = fixture.fleet.assert_upgraded(RUN, &[TO], false);
    let compose = fixture.ssm.compose_file(&builder);
    assert_eq!(compose.matches("appwrite/appwrite:1.4.14").count(), 3, "{compose}");
    fixture.proxy.calls()
}

/// The same for a run that turns back, after states that came to this, for this reason.
#[track_caller]
fn assert_rolled_back(faults: &[Fault], came: &[(&str, &str)], why: &str) -> Vec<Call> {
    let fixture = Fixture::set(faults);
    let Finished { outcome, .. } = fixture.upgrade();
    let Outcome::Failed(Failure { error, cause }) = &outcome else { panic!("{outcome:?}\nunder {}", told(faults)) };
    assert_eq!(error, "RolledBack", "{cause}\nunder {}", told(faults));
    fixture.proxy.assert_struck(faults);
    let recorded = fixture.fleet.assert_rolled_back(RUN, came);
    assert!(recorded.contains(why), "{recorded}");
    fixture.proxy.calls()
}

/// Faults that anybody who reads of a failure needs to see it again.
fn told(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

/// Every operation that every state of an undisturbed upgrade calls, in order.
fn sites() -> &'static [Call] {
    static SITES: OnceLock<Vec<Call>> = OnceLock::new();
    SITES.get_or_init(|| firsts(assert_upgraded(&[])))
}

fn firsts(calls: Vec<Call>) -> Vec<Call> {
    let mut seen = BTreeSet::new();
    calls.into_iter().filter(|call| seen.insert(call.clone())).collect()
}

fn on(site: &Call) -> On {
    Fault::on(&site.operation).at(&site.place)
}

/// Nobody may take a member out, which is noticed when all else is done and there is most to be undone.
fn old_may_not_go() -> Fault {
    Fault::on("DeregisterTargets").at("leaving-out").error("AccessDenied")
}

/// Every operation of every state on the way back from there.
fn sites_back() -> &'static [Call] {
    static SITES: OnceLock<Vec<Call>> = OnceLock::new();
    SITES.get_or_init(|| {
        let calls = assert_rolled_back(&[old_may_not_go()], &UNTIL_OLD_OUT, "DeregisterTargets: AccessDenied");
        let turned = calls.iter().position(|call| call.place == "leaving-back-in").unwrap();
        firsts(calls[turned..].to_vec())
    })
}

#[test]
fn an_upgrade_calls_these_operations() {
    let operations: BTreeSet<_> = sites().iter().map(|site| (site.service, site.operation.as_str())).collect();
    let ec2 = [
        "CreateImage",
        "CreateSnapshots",
        "CreateTags",
        "DeleteTags",
        "DescribeImages",
        "DescribeInstances",
        "DescribeSnapshots",
        "RunInstances",
        "StopInstances",
        "TerminateInstances",
    ];
    let load_balancing =
        ["DeregisterTargets", "DescribeTargetGroupAttributes", "DescribeTargetHealth", "RegisterTargets"];
    let ssm = ["DescribeInstanceInformation", "GetCommandInvocation", "ListCommandInvocations", "SendCommand"];
    let table = ["GetItem", "PutItem", "TransactWriteItems"];
    let wanted = ec2.map(|name| (Service::Ec2, name)).into_iter();
    let wanted = wanted.chain(load_balancing.map(|name| (Service::LoadBalancing, name)));
    let wanted = wanted.chain(ssm.map(|name| (Service::SystemsManager, name)));
    let wanted = wanted.chain([(Service::CloudWatch, "DescribeAlarms")]);
    let wanted = wanted.chain(table.map(|name| (Service::DynamoDb, name)));
    assert_eq!(operations, wanted.collect());
    // In some twenty states.
    assert!(sites().len() > 70, "{:#?}", sites());
}

#[test]
fn a_throttle_at_every_operation_of_every_state_passes() {
    let faults: Vec<_> = sites().iter().map(|site| on(site).throttle()).collect();
    assert_upgraded(&faults);
}

#[test]
fn a_service_that_stumbles_at_every_operation_of_every_state_passes() {
    let faults: Vec<_> = sites().iter().map(|site| on(site).error(site.service.stumbles())).collect();
    assert_upgraded(&faults);
}

#[test]
fn an_answer_lost_at_every_operation_of_every_state_passes() {
    let faults: Vec<_> = sites().iter().map(|site| on(site).answer_lost()).collect();
    let calls = assert_upgraded(&faults);
    // What cannot be asked for twice with one effect is looked for, and not asked for again.
    for once in ["CreateImage", "CreateSnapshots", "SendCommand"] {
        assert_eq!(calls.iter().filter(|call| call.operation == once).count(), 1, "{once}");
    }
}

/// Once an operation, since each takes as long as the SDK waits.
#[test]
fn an_answer_that_comes_too_late_at_every_operation_passes() {
    let mut seen = BTreeSet::new();
    let sites = sites().iter().filter(|site| seen.insert(&site.operation));
    let faults: Vec<_> = sites.map(|site| on(site).slow(PATIENCE * 100)).collect();
    assert_upgraded(&faults);
}

/// Throttled, then stumbled over, then served without an answer: all three at each site in one run.
#[test]
fn every_fault_at_every_operation_of_every_state_on_the_way_back_passes() {
    let three = |site: &Call| {
        [on(site).throttle(), on(site).nth(2).error(site.service.stumbles()), on(site).nth(3).answer_lost()]
    };
    let states: BTreeSet<_> = sites_back().iter().map(|site| site.place.as_str()).collect();
    let back =
        ["delete-what-the-run-made", "finish-as-rolled-back", "staying-out", "leaving-healthy", "leaving-back-in"];
    assert_eq!(states, BTreeSet::from(back));
    let mut faults = vec![old_may_not_go()];
    faults.extend(sites_back().iter().flat_map(three));
    assert_rolled_back(&faults, &UNTIL_OLD_OUT, "DeregisterTargets: AccessDenied");
}

#[test]
fn a_builder_that_may_not_be_launched_changes_nothing() {
    let faults = [Fault::on("RunInstances").error("UnauthorizedOperation")];
    assert_rolled_back(&faults, &[("Create the builder", "failed")], "RunInstances: UnauthorizedOperation");
}

/// No migration begins without the backup that the configuration asks for.
#[test]
fn a_backup_that_may_not_be_made_turns_the_run_back_before_a_migration() {
    let faults = [Fault::on("CreateSnapshots").error("UnauthorizedOperation")];
    let came = [("Create the builder", "done"), ("Back up the data", "failed")];
    let calls = assert_rolled_back(&faults, &came, "CreateSnapshots: UnauthorizedOperation");
    assert!(calls.iter().all(|call| call.operation != "SendCommand"));
}

#[test]
fn an_image_that_may_not_be_made_turns_the_run_back() {
    let faults = [Fault::on("CreateImage").error("UnauthorizedOperation")];
    let came = [
        ("Back up the data", "done"),
        ("Create the builder", "done"),
        ("Install and migrate", "done"),
        ("Stop the builder", "done"),
        ("Take the snapshot", "failed"),
    ];
    assert_rolled_back(&faults, &came, "CreateImage: UnauthorizedOperation");
}

/// What is asked again comes to an end too, after hours.
#[test]
fn a_throttle_without_end_turns_the_run_back() {
    let faults = [Fault::on("SendCommand").always().throttle()];
    let came = [("Back up the data", "done"), ("Create the builder", "done")];
    let calls = assert_rolled_back(&faults, &came, "ThrottlingException");
    let asked = calls.iter().filter(|call| call.operation == "SendCommand").count();
    assert!(asked > 100, "{asked}");
}

/// At every other site some fault, up to three times in a row.
#[track_caller]
fn storm(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut faults = Vec::new();
    for site in sites() {
        let on = on(site).times(random.u32(1..=3));
        match random.u32(..6) {
            0 => faults.push(on.throttle()),
            1 => faults.push(on.error(site.service.stumbles())),
            2 => faults.push(on.answer_lost()),
            _ => {}
        }
    }
    println!("seed {seed}\n{}", told(&faults));
    assert_upgraded(&faults);
}

#[test]
fn a_storm_passes() {
    storm(1);
}

#[test]
fn another_storm_passes() {
    storm(2);
}
