//! What the functions may, by infra/template.yaml: enough for every workflow, nothing that none of them uses, and
//! nothing of another fleet.

use asl::{Execution, Limits, StateMachine};
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{InstanceSpecification, ResourceType, Tag, TagSpecification};
use aws_types::SdkConfig;
use fleet::{Config, DataSource, FLEET_TAG, FleetRecord, ROLE_TAG, RUN_TAG, Scaling, Span};
use fleetwright::Definition;
use fleetwright::lambda::Functions;
use fleetwright::permissions::{OPERATOR, Role, permissions, roles};
use fleetwright::rehearse::{START, in_virtual_time, sdk_config, world};
use functions::{Aws, Step};
use serde_json::{Value, json};
use simulator::faults::{Fault, Which, WorldFault};
use simulator::iam::{Grant, Permissions};
use simulator::invariants::{Outcome, Settled};
use simulator::world::Range;
use simulator::{Caller, Simulator};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const RUN: &str = "run-1";

/// The sample, approved by a person, and with short waits: who asks how often is not what this is about.
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

/// A workflow, and what is to go wrong in it.
struct Workflow {
    name: &'static str,
    faults: Vec<Fault>,
    /// When its execution dies and another takes it up.
    dies_after: Option<Duration>,
    /// Whether the data is on an RDS instance, and upgrades have a window.
    on_rds: bool,
    /// Whether the fleet is scaled, both ways, and its targets follow its tags; else it is upgraded.
    scales: bool,
}

/// Workflows that between them go every way there is: through, and back from wherever it matters.
fn workflows(config: &Config) -> Vec<Workflow> {
    let with = |name, faults: Vec<_>| {
        let faults = faults.into_iter().map(Fault::world).collect();
        Workflow { name, faults, dies_after: None, on_rds: false, scales: false }
    };
    let member = Some(config.fleet.instance_type.to_string());
    vec![
        with("an upgrade", vec![]),
        with("a target that never turns healthy", vec![WorldFault::TargetNeverHealthy(Which::First)]),
        with("an image that fails", vec![WorldFault::ImageFails]),
        with("no capacity", vec![WorldFault::NoCapacity { zone: None, instance_type: member }]),
        Workflow { dies_after: Some(Duration::from_secs(100)), ..with("a dead orchestrator", vec![]) },
        Workflow { on_rds: true, ..with("an upgrade in its window, with an RDS instance", vec![]) },
        Workflow { scales: true, ..with("a scaling, out and in, and by hand", vec![]) },
    ]
}

/// What a workflow came to.
struct Rehearsed {
    /// Why it did not go through.
    failure: String,
    outcome: Outcome,
    used: BTreeSet<Grant>,
    violated: Vec<String>,
}

/// Applies the configuration, plays the definition, and looks at the fleet as an operator does.
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
        applied.expect("the operator may");
        let functions = Functions::new(connect, Duration::from_secs(30));
        if workflow.scales {
            let failure = scale(config, &functions).await;
            let settled =
                Settled { outcome: Outcome::Scaled, run: RUN.to_owned(), kept: Vec::new(), joined: Vec::new() };
            let violated = violated(&simulator, &settled);
            return Rehearsed { failure, outcome: Outcome::Scaled, used: simulator.grants_used(), violated };
        }
        let machine = StateMachine::parse(Definition::UPGRADE.text).unwrap();
        let mut see_nothing = |_: &asl::Event| {};
        let upgrade = execution(RUN, json!({"fleet": "appwrite", "to": "1.4.14", "takes_seconds": 1800}));
        let upgrade = asl::run(&machine, upgrade, &functions, &mut see_nothing);
        let finished = match workflow.dies_after {
            None => upgrade.await,
            Some(after) => {
                tokio::time::timeout(after, upgrade).await.expect_err("it is still going on");
                let repair = execution(
                    "run-2",
                    json!({"fleet": "appwrite", "repair": RUN, "dead": {"execution": RUN, "how": "is dead"}}),
                );
                asl::run(&machine, repair, &functions, &mut |_| {}).await
            }
        };
        let (mut failure, outcome) = match finished.outcome {
            asl::Outcome::Succeeded(_) => (String::new(), Outcome::Upgraded),
            asl::Outcome::Failed(failure) if failure.error == "RolledBack" => (failure.cause, Outcome::RolledBack),
            asl::Outcome::Failed(failure) => (failure.cause, Outcome::Frozen),
        };
        let look = Step::named("observe").unwrap().invoke(&connect("observe"), json!({"fleet": "appwrite"})).await;
        if let Err(error) = look {
            failure.push_str(&error.to_string());
        }
        let free = Aws::new(&clients(&simulator.unguarded(), config, "anyone"), "fleetwright");
        let kept = free.ledger().fleet(&config.fleet.name).await.unwrap().unwrap().record.images;
        let kept = kept.into_iter().map(|kept| kept.image.to_string()).collect();
        let violated = violated(&simulator, &Settled { outcome, run: RUN.to_owned(), kept, joined: Vec::new() });
        Rehearsed { failure, outcome, used: simulator.grants_used(), violated }
    })
    .unwrap()
}

fn violated(simulator: &Simulator, settled: &Settled) -> Vec<String> {
    let violated = simulator.check(settled).violated.into_iter();
    let violated = violated.map(|one| format!("{}: {}", one.invariant, one.detail));
    violated.chain(simulator.report().unsupported).collect()
}

/// Adds members, looks at the CPU, takes a member out, and does by hand what tags can do; answers what failed.
async fn scale(config: &Config, functions: &Functions<'_>) -> String {
    let mut failures = Vec::new();
    let orders = [
        (Definition::SCALE_OUT, RUN, json!({"fleet": "appwrite", "by": 2})),
        (Definition::SCALE_OUT, "run-2", json!({"fleet": "appwrite"})),
        (Definition::SCALE_IN, "run-3", json!({"fleet": "appwrite", "by": -1})),
    ];
    for (definition, run, order) in orders {
        let machine = StateMachine::parse(definition.text).unwrap();
        let finished = asl::run(&machine, execution(run, order), functions, &mut |_| {}).await;
        if let asl::Outcome::Failed(failure) = finished.outcome {
            failures.push(failure.cause);
        }
    }
    // Who may tag members may do so at the console, too.
    let hand = functions.clients("retag");
    let tag = &config.fleet.load_balancer_tag;
    let Ok(mut members) = hand.instances_of_fleet(&config.fleet.name).await else { return failures.join("; ") };
    members.retain(|member| member.carries(tag) && member.is_alive());
    let sync = Step::named("sync-tags").unwrap();
    for tagged in [false, true] {
        let ids = [&members[0].id];
        let changed = if tagged { hand.tag(&ids, tag).await } else { hand.untag(&ids, tag).await };
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

/// Granted, and not used in a rehearsal: Lambda itself writes a function's log and keeps the events that it failed at, and
/// what the command calls, or has called, has tests of its own against the deployed stack.
fn is_used_elsewhere(grant: &Grant) -> bool {
    ["OwnLog", "Undelivered"].contains(&grant.statement.as_str())
        || ["quiet-hour", OPERATOR].contains(&&*grant.function)
}

#[test]
fn every_workflow_stays_within_the_policies_and_together_they_use_all_of_them() {
    let config = config();
    let permissions = permissions(&config).unwrap();
    let mut unused = permissions.grants();
    for workflow in workflows(&config) {
        let rehearsed = rehearse(&config, &workflow, permissions.clone());
        let (workflow, smooth) = (workflow.name, workflow.faults.is_empty() && workflow.dies_after.is_none());
        assert!(!rehearsed.failure.contains("not authorized"), "{workflow}: {}", rehearsed.failure);
        assert_eq!(rehearsed.violated, Vec::<String>::new(), "{workflow}: {}", rehearsed.failure);
        assert_eq!(rehearsed.failure.is_empty(), smooth, "{workflow}: {}", rehearsed.failure);
        unused.retain(|grant| !rehearsed.used.contains(grant));
    }
    let too_wide: Vec<_> = unused.iter().filter(|grant| !is_used_elsewhere(grant)).map(ToString::to_string).collect();
    assert_eq!(too_wide, Vec::<String>::new(), "too wide: no workflow uses it");
}

/// The policies without one piece of one statement.
fn without(roles: &BTreeMap<String, Role>, grant: &Grant) -> Permissions {
    let mut permissions = Permissions::default();
    for (caller, role) in roles {
        let mut policy = role.policy.clone();
        if *caller == grant.function {
            let statements = policy["Statement"].as_array_mut().unwrap();
            statements.retain_mut(|statement| statement["Sid"] != grant.statement || take(statement, &grant.piece));
        }
        permissions.add(caller, &role.arn, &policy).unwrap();
    }
    permissions
}

/// Takes an action or a resource out of a statement; answers whether any is left.
fn take(statement: &mut Value, piece: &str) -> bool {
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
    // `*` is all that the actions beside it take.
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
        let told = rehearsed.violated.iter().any(|one| one.starts_with("within-permissions: ") && one.contains(&named));
        assert!(told, "{grant}, in {workflow}: {:?}", rehearsed.violated);
        // What is only called on the way back leaves a run that cannot go back either.
        // And a step whose record alone is refused has done what it was for.
        let ends = if grant.piece == "dynamodb:PutItem" {
            true
        } else if workflows[using].faults.is_empty() && workflows[using].dies_after.is_none() {
            !rehearsed.failure.is_empty()
        } else {
            rehearsed.outcome == Outcome::Frozen
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

/// Asserts that IAM let none of it happen, and said so about `action`.
#[track_caller]
fn denied<T, E: ProvideErrorMetadata, R>(result: Result<T, SdkError<E, R>>, code: &str, action: &str) {
    let Err(SdkError::ServiceError(error)) = result else { panic!("{action} was not refused") };
    let error = error.into_err();
    let message = error.message().unwrap_or_default();
    assert_eq!(error.code(), Some(code), "{action}: {message}");
    assert!(message.contains(&format!("not authorized to perform: {action} on resource: arn:aws:")), "{message}");
}

const EC2: &str = "UnauthorizedOperation";

/// The instances of the sample's fleet and of another, as anyone finds them, and the image of either.
struct Found {
    own: Vec<String>,
    other: String,
    golden: String,
    others_image: String,
}

impl Found {
    async fn by(ec2: &aws_sdk_ec2::Client) -> Found {
        let described = ec2.describe_instances().send().await.unwrap();
        let instances = described.reservations().iter().flat_map(|one| one.instances());
        let owned = instances.map(|one| {
            let fleet = one.tags().iter().find(|tag| tag.key() == Some(FLEET_TAG)).and_then(Tag::value);
            (one.instance_id().unwrap().to_owned(), one.image_id().unwrap().to_owned(), fleet == Some("appwrite"))
        });
        let (own, others): (Vec<_>, Vec<_>) = owned.partition(|(_, _, own)| *own);
        let (other, others_image, _) = others[0].clone();
        let golden = own[0].1.clone();
        Found { own: own.into_iter().map(|(id, ..)| id).collect(), other, golden, others_image }
    }
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

fn tagged(kind: ResourceType, fleet: &str) -> TagSpecification {
    let tags = [tag(FLEET_TAG, fleet), tag(RUN_TAG, RUN), tag(ROLE_TAG, "member")];
    TagSpecification::builder().resource_type(kind).set_tags(Some(tags.to_vec())).build()
}

#[test]
fn a_policy_denies_what_is_another_fleets_whatever_the_step_does() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new()).under(permissions(&config).unwrap());
        let ec2 = |function| aws_sdk_ec2::Client::new(&clients(&simulator, &config, function));
        let Found { own, other, golden, others_image } = Found::by(&ec2("observe")).await;
        let (delete, retag, snapshot) = (ec2("delete"), ec2("retag"), ec2("snapshot"));
        let terminate = |ids: &[&String]| {
            let ids = ids.iter().map(ToString::to_string).collect();
            delete.terminate_instances().set_instance_ids(Some(ids)).send()
        };
        denied(terminate(&[&other]).await, EC2, "ec2:TerminateInstances");
        // One that is not the fleet's, and none is terminated.
        denied(terminate(&[&own[0], &other]).await, EC2, "ec2:TerminateInstances");
        denied(delete.deregister_image().image_id(&others_image).send().await, EC2, "ec2:DeregisterImage");
        // No run made the golden image.
        denied(delete.deregister_image().image_id(&golden).send().await, EC2, "ec2:DeregisterImage");

        // Nor is a backup of the data deleted, though a run of the fleet made it.
        let data = config.backup.as_ref().unwrap();
        let DataSource::DataServer(server) = data else { panic!("{data}") };
        let of_server = InstanceSpecification::builder().instance_id(server.as_str()).build();
        let kept = [tag(FLEET_TAG, "appwrite"), tag(RUN_TAG, RUN), tag(ROLE_TAG, "backup")];
        let kept = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(kept.to_vec()));
        let call = ec2("back-up").create_snapshots().instance_specification(of_server).tag_specifications(kept.build());
        let backup = call.send().await.unwrap().snapshots()[0].snapshot_id().unwrap().to_owned();
        denied(delete.delete_snapshot().snapshot_id(&backup).send().await, EC2, "ec2:DeleteSnapshot");
        let before = simulator.report();

        denied(ec2("stop").stop_instances().instance_ids(&other).send().await, EC2, "ec2:StopInstances");
        // A member is no builder.
        denied(ec2("stop").stop_instances().instance_ids(&own[0]).send().await, EC2, "ec2:StopInstances");

        let create_tags = |id: &str, key: &str| retag.create_tags().resources(id).tags(tag(key, "appwrite")).send();
        let delete_tags =
            |id: &str, key: &str| retag.delete_tags().resources(id).tags(Tag::builder().key(key).build()).send();
        denied(create_tags(&other, "high-availability").await, EC2, "ec2:CreateTags");
        denied(delete_tags(&other, "service").await, EC2, "ec2:DeleteTags");
        // Nobody is brought within the fence, or taken out of it, or stripped of all tags.
        denied(create_tags(&other, FLEET_TAG).await, EC2, "ec2:CreateTags");
        denied(create_tags(&own[0], ROLE_TAG).await, EC2, "ec2:CreateTags");
        denied(delete_tags(&own[0], FLEET_TAG).await, EC2, "ec2:DeleteTags");
        denied(retag.delete_tags().resources(&own[0]).send().await, EC2, "ec2:DeleteTags");
        denied(create_tags(&golden, "high-availability").await, EC2, "ec2:CreateTags");

        let image = |id: &str| {
            let call = snapshot.create_image().instance_id(id).name("an-image");
            let call = call.tag_specifications(tagged(ResourceType::Image, "appwrite"));
            call.tag_specifications(tagged(ResourceType::Snapshot, "appwrite")).send()
        };
        denied(image(&other).await, EC2, "ec2:CreateImage");
        denied(image(&own[0]).await, EC2, "ec2:CreateImage");

        let create = ec2("create-from-snapshot");
        let launch = |fleet: Option<&str>| {
            let call = create.run_instances().image_id(&golden).min_count(1).max_count(1);
            let kinds = [ResourceType::Instance, ResourceType::Volume];
            call.set_tag_specifications(fleet.map(|fleet| kinds.map(|kind| tagged(kind, fleet)).to_vec())).send()
        };
        denied(launch(Some("billing-of-others")).await, EC2, "ec2:RunInstances");
        denied(launch(None).await, EC2, "ec2:RunInstances");
        denied(create.create_tags().resources(&own[0]).tags(tag("a", "b")).send().await, EC2, "ec2:CreateTags");

        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&clients(&simulator, &config, "retag"));
        let (start, _) = config.load_balancer.target_group.as_str().split_once("targetgroup/").unwrap();
        let others_group = format!("{start}targetgroup/someone-else/0123456789abcdef");
        let target = aws_sdk_elasticloadbalancingv2::types::TargetDescription::builder().id(&other).build();
        let deregister = elb.deregister_targets().target_group_arn(&others_group).targets(target.clone());
        denied(deregister.send().await, "AccessDenied", "elasticloadbalancing:DeregisterTargets");
        let register = elb.register_targets().target_group_arn(&others_group).targets(target);
        denied(register.send().await, "AccessDenied", "elasticloadbalancing:RegisterTargets");

        let ssm = aws_sdk_ssm::Client::new(&clients(&simulator, &config, "configure"));
        let send = |document: &str, id: &str| ssm.send_command().document_name(document).instance_ids(id).send();
        for (document, id) in
            [("fleetwright-configure", &other), ("fleetwright-configure", &own[0]), ("AWS-RunShellScript", &own[0])]
        {
            denied(send(document, id).await, "AccessDeniedException", "ssm:SendCommand");
        }

        // Nor does a step do another's work on its own fleet.
        let begin = ec2("begin").terminate_instances().instance_ids(&own[0]).send().await;
        denied(begin, EC2, "ec2:TerminateInstances");
        let table = aws_sdk_dynamodb::Client::new(&clients(&simulator, &config, "begin"));
        let others_table = table.delete_item().table_name("fleetwright").send().await;
        denied(others_table, "AccessDeniedException", "dynamodb:DeleteItem");

        let after = simulator.report();
        assert_eq!((after.instances, after.images), (before.instances, before.images));
    })
    .unwrap();
}

/// Whoever is invoked twice deletes an image twice, and a policy that asks for tags denies what is not there any more.
#[test]
fn an_image_that_is_gone_may_be_deleted_again_and_another_may_not() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new()).under(permissions(&config).unwrap());
        let ec2 = |function| aws_sdk_ec2::Client::new(&clients(&simulator, &config, function));
        let builder = [tag(FLEET_TAG, "appwrite"), tag(RUN_TAG, RUN), tag(ROLE_TAG, "builder")];
        let tagged = |kind| TagSpecification::builder().resource_type(kind).set_tags(Some(builder.to_vec())).build();
        let launch = ec2("create-from-snapshot").run_instances().image_id(config.fleet.golden_image.as_str());
        let launch = launch.instance_type("c6i.large".into()).min_count(1).max_count(1);
        let launch = launch.tag_specifications(tagged(ResourceType::Instance));
        let launched = launch.tag_specifications(tagged(ResourceType::Volume)).send().await.unwrap();
        tokio::time::sleep(Duration::from_secs(60)).await;
        let make =
            ec2("snapshot").create_image().name("an-image").instance_id(launched.instances()[0].instance_id().unwrap());
        let make = make.tag_specifications(tagged(ResourceType::Image));
        let made = make.tag_specifications(tagged(ResourceType::Snapshot)).send().await.unwrap();
        tokio::time::sleep(Duration::from_secs(600)).await;

        let delete = Aws::new(&clients(&simulator, &config, "delete"), "fleetwright");
        let image = made.image_id().unwrap().parse().unwrap();
        delete.delete_image(&image).await.unwrap();
        delete.delete_image(&image).await.unwrap();
        let settled = Settled { outcome: Outcome::Frozen, run: RUN.to_owned(), kept: Vec::new(), joined: Vec::new() };
        assert_eq!(simulator.check(&settled).violated, []);

        let error = delete.delete_image(&config.fleet.golden_image).await.unwrap_err();
        assert!(error.to_string().starts_with("DeregisterImage: UnauthorizedOperation: "), "{error}");
        assert_eq!(simulator.check(&settled).violated[0].invariant, "within-permissions");
    })
    .unwrap();
}

/// A caller that the template does not know may nothing, and the rehearsal says that it is no picture of AWS.
#[test]
fn who_has_no_policy_is_not_let_through() {
    in_virtual_time(async {
        let config = config();
        let simulator = Simulator::new(world(&config), Vec::new()).under(permissions(&config).unwrap());
        let ec2 = aws_sdk_ec2::Client::new(&clients(&simulator, &config, "nobody"));
        assert!(ec2.describe_instances().send().await.is_err());
        assert!(simulator.report().unsupported[0].contains("what 'nobody' may: it has no policy"));
    })
    .unwrap();
}
