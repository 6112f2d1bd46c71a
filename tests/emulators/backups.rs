//! Asserts that a run left exactly one complete backup of the data.

use super::BuiltFleet;
use super::assertions::{ids, strings};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl BuiltFleet {
    /// Asserts that the run's record names its backup: complete snapshots of all volumes of the data server.
    pub(super) fn assert_backed_up(&self, after: &Value, run: &str) {
        let of_run = |found: &Value| found["tags"]["fleetwright:run"] == run;
        let made = self.of_this_fleet(&after["snapshots"], |found| is_backup(found) && of_run(found));
        let tags = self.tags_of_backup(run);
        for snapshot in &made {
            assert_eq!((&snapshot["tags"], &snapshot["state"]), (&tags, &json!("completed")), "{snapshot:#}");
        }
        let server = self.id("data_server");
        let attached = after["volumes"].as_object().unwrap().iter().filter(|(_, to)| *to == server);
        let mut volumes: Vec<_> = attached.map(|(volume, _)| volume.as_str()).collect();
        let mut of: Vec<_> = made.iter().map(|snapshot| snapshot["volume"].as_str().unwrap()).collect();
        volumes.sort_unstable();
        of.sort_unstable();
        assert_eq!(volumes.len(), 2, "{volumes:?}");
        assert_eq!(of, volumes, "one snapshot for each volume");
        let backup = &self.item(after, &format!("run/{run}"))["backup"];
        assert_eq!(backup["of"], json!({"data_server": server}));
        assert_eq!(strings(&backup["made"]["snapshots"]), ids(&made));
    }

    /// Asserts that the fleet's snapshots are those of its images and the backups of these runs.
    pub(super) fn assert_snapshots(&self, after: &Value, backed_up: &[&str]) {
        let (backups, others): (Vec<_>, Vec<_>) =
            self.of_this_fleet(&after["snapshots"], |_| true).into_iter().partition(|found| is_backup(found));
        let runs: BTreeSet<_> =
            backups.iter().map(|found| found["tags"]["fleetwright:run"].as_str().unwrap()).collect();
        assert_eq!(runs, backed_up.iter().copied().collect());
        let images = self.of_this_fleet(&after["images"], |_| true);
        assert_eq!(ids(&others), images.iter().flat_map(|image| strings(&image["snapshots"])).collect());
    }

    /// Asserts that the run's record names its backup: one complete snapshot of this RDS instance, and none of a
    /// volume.
    pub fn assert_db_backed_up(&self, run: &str, db: &str) {
        let after = self.inspect();
        let [snapshot] = &after["db_snapshots"].as_array().unwrap()[..] else { panic!("{:#}", after["db_snapshots"]) };
        assert_eq!((&snapshot["of"], &snapshot["state"]), (&json!(db), &json!("available")));
        assert_eq!(snapshot["tags"], self.tags_of_backup(run));
        self.assert_snapshots(&after, &[]);
        let backup = &self.item(&after, &format!("run/{run}"))["backup"];
        assert_eq!(backup["of"], json!({"db_instance": db}));
        assert_eq!(backup["made"], json!({"db-snapshot": snapshot["id"]}));
    }

    fn tags_of_backup(&self, run: &str) -> Value {
        json!({"fleetwright:fleet": self.id("fleet"), "fleetwright:role": "backup", "fleetwright:run": run})
    }
}

fn is_backup(snapshot: &Value) -> bool {
    snapshot["tags"]["fleetwright:role"] == "backup"
}
