//! The release of a dead run on the deployed stack, as an operator does it.

use super::deployed::Stack;
use serde_json::{Value, json};

#[test]
fn a_dead_run_is_released_and_another_run_begins() {
    let stack = Stack::shared();
    let fleet = stack.fleet("released");
    let operator = stack.operator();
    let run = operator.upgrade_until_approval("released");
    for line in [format!("release {run} --fleet released"), format!("release {run} --fleet released --yes")] {
        let running = operator.fleetwright(&line);
        assert_eq!(running.exit, 6, "{running:?}");
        assert!(running.err.contains("is running and its lease lasts until"), "{running:?}");
    }
    let execution = format!("arn:aws:states:eu-central-1:123456789012:execution:fleetwright-upgrade:{run}");
    stack.root().call("stepfunctions", "stop_execution", &json!({"executionArn": execution}));
    let unknown = operator.fleetwright("release run-0 --fleet released --yes");
    assert!(unknown.exit == 6 && unknown.err.contains("is not in the ledger"), "{unknown:?}");

    let before = fleet.current_state();
    let shown = operator.fleetwright(&format!("release {run} --fleet released"));
    assert_eq!(shown.exit, 0, "{shown:?}");
    for words in ["is awaiting approval", "member that the run made, in service", "image that the run made"] {
        assert!(shown.out.contains(words), "'{words}' is not in: {shown:?}");
    }
    assert!(shown.out.contains("member from before the run, not in service"), "{shown:?}");
    assert!(shown.err.contains(&format!("'fleetwright release {run} --fleet released --yes' does it")), "{shown:?}");
    assert_eq!(fleet.current_state(), before);

    let released = operator.fleetwright(&format!("release {run} --fleet released --yes --output json"));
    assert_eq!(released.exit, 0, "{released:?}");
    let report: Value = serde_json::from_str(&released.out).unwrap();
    assert_eq!(report["released"]["by"], "arn:aws:iam::123456789012:user/operator", "{report:#}");
    assert_eq!((&report["still_blocked_by"], &report["committed"]), (&Value::Null, &json!(false)), "{report:#}");
    let after = fleet.current_state();
    assert_eq!(after["fleet"]["lock"], Value::Null);
    for part in ["images", "instances", "snapshots", "targets"] {
        assert_eq!(after[part], before[part], "{part}");
    }

    let again = operator.fleetwright(&format!("release {run} --fleet released --yes"));
    assert!(again.exit == 6 && again.err.contains("is released already"), "{again:?}");
    let status = operator.fleetwright("status --fleet released");
    assert!(status.out.contains("run       none") && status.out.contains(&format!("released  {run}")), "{status:?}");
    let history = operator.fleetwright("history --fleet released");
    assert!(history.out.contains("frozen, released by arn:aws:iam::123456789012:user/operator"), "{history:?}");
    let watched = operator.fleetwright(&format!("watch {run} --fleet released"));
    assert!(watched.exit == 4 && watched.out.contains("released by arn:aws"), "{watched:?}");
    let doctor = operator.fleetwright("doctor --fleet released");
    assert_eq!(doctor.exit, 1, "{doctor:?}");
    assert!(doctor.out.contains("is a clone of the golden image but receives no traffic"), "{doctor:?}");

    let repaired = operator.fleetwright("repair --fleet released --yes --output json");
    assert_eq!(repaired.exit, 0, "{repaired:?}");
    let restored: Value = serde_json::from_str(&repaired.out).unwrap();
    assert_eq!(restored["outcome"], "restored", "{restored:#}");
    let restore = restored["run"].as_str().unwrap().to_owned();
    let ended = operator.fleetwright(&format!("release {restore} --fleet released --yes"));
    assert!(ended.exit == 6 && ended.err.contains("does not hold the lock"), "{ended:?}");
}
