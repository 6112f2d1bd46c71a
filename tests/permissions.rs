//! The policies in `infra/template.yaml` allow every call that a workflow makes. They allow nothing that no workflow
//! uses, and no call on another fleet.

mod denied;

use asl::{Execution, Limits, StateMachine};
use aws_types::SdkConfig;
use fleet::{Config, DataSource, FleetRecord, Scaling, Span};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::permissions::{OPERATOR, Role, permissions, roles};
use fleetwright::rehearse::{START, in_virtual_time, sdk_config, world};
use functions::{Aws, Step};
use serde_json::{Value, json};
use simulator::faults::{Fault, Which, WorldFault};
use simulator::iam::{Grant, Permissions};
use simulator::invariants::{Settled, SettledAs};
use simulator::world::Range;
use simulator::{Caller, Simulator};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const RUN: &str = "run-1";

/// The sample fleet with an approval and short waits, because the number of polls does not matter here.
fn config() -> Config {
    let sample = include_str!("../samplconfig.toml");
    let mut config = Config::from_toml(sample).unwrap();
    config.fleet.size = 1;
    config.upgrade.approval = true;
    config.limits.healthy = Span::seconds(120);
    config.upgrade.canary_bake = Span::seconds(5);
    config.upgrade.bake = Span::seconds(5);
    config.rehearsal.deregistration_delay = Span::seconds(60);
    config.scaling = Some(Scaling {
        min: 1,
        max: 4,
        target_cpu: 60,
        largest_step: 2,
        cooldown_out: Span::minutes(1),
        cooldown_in: Span::minutes(5),
        warm_up: Span::minutes(1),
    });
    config
}

fn clients(simulator: &Simulator, config: &Config, function: &str) -> SdkConfig {
    sdk_config(simulator, config, Caller { run: RUN.to_owned(), function: function.to_owned() })
}

/// A workflow and its faults.
struct Workflow {
    name: &'static str,
    faults: Vec<Fault>,
    /// The time after which its execution dies and another one resumes the run.
    dies_after: Option<Duration>,
    /// The data is on an RDS instance, and upgrades have a window.
    on_rds: bool,
    /// If true: a scale-out, a scale-in, a golden-image run, and a change of tags that targets follow. If false: an
    /// upgrade.
    scales: bool,
}

/// Workflows that together use every path: the forward path, and the rollback path from every state that matters.
fn workflows(config: &Config) -> Vec<Workflow> {
    let with = |name, faults: Vec<_>| {
        let faults = faults.into_iter().map(Fault::world).collect();
        Workflow { name, faults, dies_after: None, on_rds: false, scales: false }
    };
    let member = Some(config.fleet.instance_type.to_string());
    vec![
        with("an upgrade", vec![]),
        with("a target that never becomes healthy", vec![WorldFault::TargetNeverHealthy(Which::First)]),
        with("an image that fails", vec![WorldFault::ImageFails]),
        with("no capacity", vec![WorldFault::NoCapacity { zone: None, instance_type: member }]),
        Workflow { dies_after: Some(Duration::from_secs(100)), ..with("a dead execution", vec![]) },
        Workflow { on_rds: true, ..with("an upgrade in its window, with an RDS instance", vec![]) },
        Workflow {
            scales: true,
            ..with("a scale-out, a scale-in, a golden-image run and manual changes of tags", vec![])
        },
    ]
}

/// The result of a rehearsed workflow.
struct Rehearsed {
    /// The cause of its failure; empty if it succeeded.
    failure: String,
    outcome: SettledAs,
    used: BTreeSet<Grant>,
    violated: Vec<String>,
}

/// Applies the configuration, executes the definition, and observes the fleet as the operator's command does.
fn rehearse(config: &Config, workflow: &Workflow, permissions: Permissions) -> Rehearsed {
    let mut config = config.clone();
    if workflow.on_rds {
        config.backup = Some(DataSource::DbInstance("appwrite-db".parse().unwrap()));
        config.upgrade.windows = serde_json::from_value(json!([
            {"days": ["sun"], "from": "00:00", "to": "24:00", "time_zone": "UTC"}
        ]))
        .unwrap();
    }
    let config = &config;
    in_virtual_time(async {
        let mut world = world(config);
        world.latencies.backup = Range::seconds(5, 10);
        (world.latencies.agent, world.latencies.command) = (Range::seconds(5, 10), Range::seconds(5, 10));
        (world.latencies.image, world.latencies.first_boot) = (Range::seconds(10, 20), Range::seconds(5, 10));
        let simulator = Simulator::new(world, workflow.faults.clone()).under(permissions);
        let connect = |function: &str| Aws::new(&clients(&simulator, config, function), "fleetwright");
        let applied = connect(OPERATOR).ledger().create_fleet(&FleetRecord::new(config.clone())).await;
        applied.expect("the operator may create the fleet's record");
        let functions = Functions::new(connect, Duration::from_secs(30));
        if workflow.scales {
            let failure = scale(config, &functions).await;
            let kept = kept(&simulator, config).await;
            let settled = Settled { outcome: SettledAs::Scaled, run: RUN.to_owned(), kept, joined: Vec::new() };
            let violated = violated(&simulator, &settled);
            return Rehearsed { failure, outcome: SettledAs::Scaled, used: simulator.grants_used(), violated };
        }
        let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
        let mut ignore_events = |_: &asl::Event| {};
        let upgrade = execution(RUN, json!({"fleet": "appwrite", "to": "1.4.14", "takes_seconds": 1800}));
        let upgrade = asl::run(&machine, upgrade, &functions, &mut ignore_events);
        let finished = match workflow.dies_after {
            None => upgrade.await,
            Some(after) => {
                tokio::time::timeout(after, upgrade).await.expect_err("the upgrade is still running");
                let repair = execution(
                    "run-2",
                    json!({"fleet": "appwrite", "repair": RUN, "dead": {"execution": RUN, "how": "is dead"}}),
                );
                asl::run(&machine, repair, &functions, &mut |_| {}).await
            }
        };
        let (mut failure, outcome) = match finished.outcome {
            asl::Outcome::Succeeded(_) => (String::new(), SettledAs::Upgraded),
            asl::Outcome::Failed(failure) if failure.error == "RolledBack" => (failure.cause, SettledAs::RolledBack),
            asl::Outcome::Failed(failure) => (failure.cause, SettledAs::Frozen),
        };
        let observed = Step::named("observe").unwrap().invoke(&connect("observe"), json!({"fleet": "appwrite"})).await;
        if let Err(error) = observed {
            failure.push_str(&error.to_string());
        }
        let kept = kept(&simulator, config).await;
        let violated = violated(&simulator, &Settled { outcome, run: RUN.to_owned(), kept, joined: Vec::new() });
        Rehearsed { failure, outcome, used: simulator.grants_used(), violated }
    })
    .unwrap()
}

/// The golden image and the kept images in the ledger.
async fn kept(simulator: &Simulator, config: &Config) -> Vec<String> {
    let free = Aws::new(&clients(&simulator.fork_allowing_all(), config, "anyone"), "fleetwright");
    let fleet = free.ledger().fleet(&config.fleet.name).await.unwrap().unwrap().record;
    let golden = fleet.golden.into_iter().map(|golden| golden.image);
    fleet.images.into_iter().map(|kept| kept.image).chain(golden).map(|image| image.to_string()).collect()
}

fn violated(simulator: &Simulator, settled: &Settled) -> Vec<String> {
    let violated = simulator.check(settled).violated.into_iter();
    let violated = violated.map(|one| format!("{}: {}", one.invariant, one.detail));
    violated.chain(simulator.report().unsupported).collect()
}

/// Runs a scale-out by order, one by CPU, a scale-in and a golden-image run. Then it changes tags by hand and
/// synchronizes the targets. Returns all failures.
async fn scale(config: &Config, functions: &Functions<'_>) -> String {
    let mut failures = Vec::new();
    let orders = [
        (Definition::SCALE_OUT, RUN, json!({"fleet": "appwrite", "by": 2})),
        (Definition::SCALE_OUT, "run-2", json!({"fleet": "appwrite"})),
        (Definition::SCALE_IN, "run-3", json!({"fleet": "appwrite", "by": -1})),
        (Definition::GOLDEN_IMAGE, "run-4", json!({"fleet": "appwrite"})),
    ];
    for (definition, run, order) in orders {
        let machine = StateMachine::parse(definition.text).unwrap();
        let finished = asl::run(&machine, execution(run, order), functions, &mut |_| {}).await;
        if let asl::Outcome::Failed(failure) = finished.outcome {
            failures.push(failure.cause);
        }
    }
    // The role that may tag members stands for an operator who changes tags at the console.
    let console = functions.clients("retag");
    let tag = &config.fleet.load_balancer_tag;
    let Ok(mut members) = console.instances_of_fleet(&config.fleet.name).await else { return failures.join("; ") };
    members.retain(|member| member.carries(tag));
    let sync = Step::named("sync-tags").unwrap();
    for tagged in [false, true] {
        let ids = [&members[0].id];
        let changed = if tagged { console.tag(&ids, tag).await } else { console.untag(&ids, tag).await };
        failures.extend(changed.err().map(|error| error.to_string()));
        tokio::time::sleep(Duration::from_secs(60)).await;
        let synced = sync.invoke(&functions.clients("sync-tags"), json!({"fleet": "appwrite"})).await;
        failures.extend(synced.err().map(|error| error.to_string()));
    }
    failures.join("; ")
}

fn execution(name: &str, input: Value) -> Execution {
    Execution {
        name: name.to_owned(),
        id: format!("arn:aws:states:eu-central-1:123456789012:execution:fleetwright-upgrade:{name}"),
        role: "arn:aws:iam::123456789012:role/fleetwright-upgrade".to_owned(),
        state_machine: "fleetwright-upgrade".to_owned(),
        state_machine_id: "arn:aws:states:eu-central-1:123456789012:stateMachine:fleetwright-upgrade".to_owned(),
        input,
        started: START,
        limits: Limits::default(),
    }
}

/// Grants that no rehearsal uses. Lambda itself writes a function's log and stores its failed events. The tests against
/// the deployed stack cover the operator's command and the function that it invokes.
fn is_used_elsewhere(grant: &Grant) -> bool {
    ["WriteLogs", "Undelivered"].contains(&grant.statement.as_str())
        || ["quiet-hour", OPERATOR].contains(&&*grant.function)
}

#[test]
fn the_workflows_stay_within_the_policies_and_use_all_of_them() {
    let config = config();
    let permissions = permissions(&config).unwrap();
    let mut unused = permissions.grants();
    for workflow in workflows(&config) {
        let rehearsed = rehearse(&config, &workflow, permissions.clone());
        let (workflow, undisturbed) = (workflow.name, workflow.faults.is_empty() && workflow.dies_after.is_none());
        assert!(!rehearsed.failure.contains("not authorized"), "{workflow}: {}", rehearsed.failure);
        assert_eq!(rehearsed.violated, Vec::<String>::new(), "{workflow}: {}", rehearsed.failure);
        assert_eq!(rehearsed.failure.is_empty(), undisturbed, "{workflow}: {}", rehearsed.failure);
        unused.retain(|grant| !rehearsed.used.contains(grant));
    }
    let too_wide: Vec<_> = unused.iter().filter(|grant| !is_used_elsewhere(grant)).map(ToString::to_string).collect();
    assert_eq!(too_wide, Vec::<String>::new(), "too wide: no workflow uses these grants");
}

/// The policies without one action or resource of one statement.
fn without(roles: &BTreeMap<String, Role>, grant: &Grant) -> Permissions {
    let mut permissions = Permissions::default();
    for (caller, role) in roles {
        let mut policy = role.policy.clone();
        if *caller == grant.function {
            let statements = policy["Statement"].as_array_mut().unwrap();
            statements.retain_mut(|statement| statement["Sid"] != grant.statement || remove(statement, &grant.piece));
        }
        permissions.add(caller, &role.arn, &policy).unwrap();
    }
    permissions
}

/// Removes an action or a resource from a statement. Returns whether any are left.
fn remove(statement: &mut Value, piece: &str) -> bool {
    let field = if piece.starts_with("arn:") { "Resource" } else { "Action" };
    match &mut statement[field] {
        Value::Array(pieces) => {
            pieces.retain(|one| one != piece);
            !pieces.is_empty()
        }
        _ => false,
    }
}

#[test]
fn without_any_one_action_or_resource_a_workflow_fails_and_names_it() {
    let config = config();
    let roles = roles(&config).unwrap();
    let permissions = permissions(&config).unwrap();
    let workflows = workflows(&config);
    let used: Vec<_> = workflows.iter().map(|workflow| rehearse(&config, workflow, permissions.clone()).used).collect();
    let grants = permissions.grants().into_iter();
    // `*` stays: the actions in its statement accept no other resource.
    let pieces: Vec<_> = grants.filter(|grant| grant.piece != "*" && !is_used_elsewhere(grant)).collect();
    assert!(pieces.len() > 70, "{pieces:?}");

    let check = |grant: &Grant| {
        let using = used.iter().position(|used| used.contains(grant)).unwrap_or_else(|| panic!("nothing uses {grant}"));
        let rehearsed = rehearse(&config, &workflows[using], without(&roles, grant));
        let workflow = workflows[using].name;
        let named = match grant.piece.strip_suffix('*').unwrap_or(&grant.piece) {
            arn if arn.starts_with("arn:") => format!(" on resource: {arn}"),
            action => format!("is not authorized to perform: {action} on resource: "),
        };
        let named_in_violation =
            rehearsed.violated.iter().any(|one| one.starts_with("within-permissions: ") && one.contains(&named));
        assert!(named_in_violation, "{grant}, in {workflow}: {:?}", rehearsed.violated);
        // A denied call on the rollback path freezes the run. A step whose record alone is denied has already had its
        // effect, so the run can end in any way.
        let ends = if grant.piece == "dynamodb:PutItem" {
            true
        } else if workflows[using].faults.is_empty() && workflows[using].dies_after.is_none() {
            !rehearsed.failure.is_empty()
        } else {
            rehearsed.outcome == SettledAs::Frozen
        };
        assert!(ends, "{grant}, in {workflow}: {:?}, {}", rehearsed.outcome, rehearsed.failure);
    };
    std::thread::scope(|scope| {
        let (some, others) = pieces.split_at(pieces.len() / 2);
        let handle = scope.spawn(move || some.iter().for_each(check));
        others.iter().for_each(check);
        handle.join().unwrap();
    });
}
