//! Every fault at every operation of an upgrade on moto. Afterwards an independent client, without the proxy, inspects
//! the members in service, tags, targets, images, the lock, the ledger, and the resources of others.

use super::fixture::{Fixture, PATIENCE, RUN, TO};
use super::{Call, Service};
use asl::{Failure, Finished, Outcome};
use simulator::faults::{Fault, On};
use std::collections::BTreeSet;
use std::sync::OnceLock;

/// The recorded states of a run that may not deregister its leaving members, with their results.
const UNTIL_LEAVING_OUT: [(&str, &str); 14] = [
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
    let fixture = Fixture::new(faults);
    let finished = fixture.upgrade();
    let Outcome::Succeeded(output) = &finished.outcome else { panic!("{finished:?}\nunder {}", list(faults)) };
    assert_eq!(output["outcome"], "upgraded");
    fixture.proxy.assert_struck(faults);
    let builder = fixture.fleet.assert_upgraded(RUN, &[TO], false);
    let compose = fixture.ssm.compose_file(&builder);
    assert_eq!(compose.matches("appwrite/appwrite:1.4.14").count(), 3, "{compose}");
    fixture.proxy.calls()
}

/// Asserts that a run with these faults rolls back after `steps`, which are states and their results, for the reason
/// `why`.
#[track_caller]
fn assert_rolled_back(faults: &[Fault], steps: &[(&str, &str)], why: &str) -> Vec<Call> {
    let fixture = Fixture::new(faults);
    let Finished { outcome, .. } = fixture.upgrade();
    let Outcome::Failed(Failure { error, cause }) = &outcome else { panic!("{outcome:?}\nunder {}", list(faults)) };
    assert_eq!(error, "RolledBack", "{cause}\nunder {}", list(faults));
    fixture.proxy.assert_struck(faults);
    let recorded = fixture.fleet.assert_rolled_back(RUN, steps);
    assert!(recorded.contains(why), "{recorded}");
    fixture.proxy.calls()
}

/// The faults, one per line, so that a failure can be reproduced.
fn list(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n")).collect()
}

/// The call sites of an upgrade without faults, in order.
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

/// Denies the deregistration of leaving members. The run fails as late as possible, when it has most to undo.
fn deny_leaving_out() -> Fault {
    Fault::on("DeregisterTargets").at("leaving-out").error("AccessDenied")
}

/// The call sites of the rollback after [`deny_leaving_out`].
fn rollback_sites() -> &'static [Call] {
    static SITES: OnceLock<Vec<Call>> = OnceLock::new();
    SITES.get_or_init(|| {
        let calls = assert_rolled_back(&[deny_leaving_out()], &UNTIL_LEAVING_OUT, "DeregisterTargets: AccessDenied");
        let rollback_start = calls.iter().position(|call| call.place == "leaving-back-in").unwrap();
        firsts(calls[rollback_start..].to_vec())
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
    // More than 70 call sites, in about twenty states.
    assert!(sites().len() > 70, "{:#?}", sites());
}

#[test]
fn a_throttle_at_every_operation_of_every_state_passes() {
    let faults: Vec<_> = sites().iter().map(|site| on(site).throttle()).collect();
    assert_upgraded(&faults);
}

#[test]
fn an_internal_error_at_every_operation_of_every_state_passes() {
    let faults: Vec<_> = sites().iter().map(|site| on(site).error(site.service.internal_error())).collect();
    assert_upgraded(&faults);
}

#[test]
fn an_answer_lost_at_every_operation_of_every_state_passes() {
    let faults: Vec<_> = sites().iter().map(|site| on(site).answer_lost()).collect();
    let calls = assert_upgraded(&faults);
    // These calls have no client token. After a lost answer a step searches for the effect and does not call again.
    for once in ["CreateImage", "CreateSnapshots", "SendCommand"] {
        assert_eq!(calls.iter().filter(|call| call.operation == once).count(), 1, "{once}");
    }
}

/// Once per operation, because each late answer takes the SDK's whole time-out.
#[test]
fn an_answer_after_the_time_out_at_every_operation_passes() {
    let mut seen = BTreeSet::new();
    let sites = sites().iter().filter(|site| seen.insert(&site.operation));
    let faults: Vec<_> = sites.map(|site| on(site).slow(PATIENCE * 100)).collect();
    assert_upgraded(&faults);
}

/// One run with three faults at each site: a throttle, then an internal error, then a lost answer.
#[test]
fn every_fault_at_every_operation_of_a_rollback_passes() {
    let three = |site: &Call| {
        [on(site).throttle(), on(site).nth(2).error(site.service.internal_error()), on(site).nth(3).answer_lost()]
    };
    let states: BTreeSet<_> = rollback_sites().iter().map(|site| site.place.as_str()).collect();
    let back =
        ["delete-what-the-run-made", "finish-as-rolled-back", "staying-out", "leaving-healthy", "leaving-back-in"];
    assert_eq!(states, BTreeSet::from(back));
    let mut faults = vec![deny_leaving_out()];
    faults.extend(rollback_sites().iter().flat_map(three));
    assert_rolled_back(&faults, &UNTIL_LEAVING_OUT, "DeregisterTargets: AccessDenied");
}

#[test]
fn a_denied_launch_of_the_builder_changes_nothing() {
    let faults = [Fault::on("RunInstances").error("UnauthorizedOperation")];
    assert_rolled_back(&faults, &[("Create the builder", "failed")], "RunInstances: UnauthorizedOperation");
}

/// No migration begins without the configured backup.
#[test]
fn a_denied_backup_rolls_the_run_back_before_any_migration() {
    let faults = [Fault::on("CreateSnapshots").error("UnauthorizedOperation")];
    let steps = [("Create the builder", "done"), ("Back up the data", "failed")];
    let calls = assert_rolled_back(&faults, &steps, "CreateSnapshots: UnauthorizedOperation");
    assert!(calls.iter().all(|call| call.operation != "SendCommand"));
}

#[test]
fn a_denied_image_rolls_the_run_back() {
    let faults = [Fault::on("CreateImage").error("UnauthorizedOperation")];
    let steps = [
        ("Back up the data", "done"),
        ("Create the builder", "done"),
        ("Install and migrate", "done"),
        ("Stop the builder", "done"),
        ("Take the snapshot", "failed"),
    ];
    assert_rolled_back(&faults, &steps, "CreateImage: UnauthorizedOperation");
}

/// Retries end too, after hours of virtual time.
#[test]
fn a_permanent_throttle_rolls_the_run_back() {
    let faults = [Fault::on("SendCommand").always().throttle()];
    let steps = [("Back up the data", "done"), ("Create the builder", "done")];
    let calls = assert_rolled_back(&faults, &steps, "ThrottlingException");
    let attempts = calls.iter().filter(|call| call.operation == "SendCommand").count();
    assert!(attempts > 100, "{attempts}");
}

/// Injects a random fault at about every other site, up to three times in a row.
#[track_caller]
fn upgrade_with_random_faults(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut faults = Vec::new();
    for site in sites() {
        let on = on(site).times(random.u32(1..=3));
        match random.u32(..6) {
            0 => faults.push(on.throttle()),
            1 => faults.push(on.error(site.service.internal_error())),
            2 => faults.push(on.answer_lost()),
            _ => {}
        }
    }
    println!("seed {seed}\n{}", list(&faults));
    assert_upgraded(&faults);
}

#[test]
fn random_faults_of_seed_1_pass() {
    upgrade_with_random_faults(1);
}

#[test]
fn random_faults_of_seed_2_pass() {
    upgrade_with_random_faults(2);
}
