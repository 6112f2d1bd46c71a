//! One stack for all of these tests, deployed as a person deploys it.

use super::client::Caller;
use crate::emulators::{
    ACCOUNT, BuiltFleet, Migration, Ministack, Moto, REGION, Scratch, SsmEndpoint, file, python, sam,
};
use fleet::{Config, Version};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, Weak};

/// The fleets that the stack may change. Each test has its own.
const FLEETS: [&str; 19] = [
    "aborted",
    "approved",
    "broken",
    "edited",
    "handmade",
    "imageless",
    "operated",
    "plain",
    "quarantined",
    "quiet",
    "released",
    "reverted",
    "scaled",
    "silent",
    "sized",
    "stopped",
    "tagged",
    "unreadable",
    "wanting",
];
/// The hop whose migration fails, with exit status 0.
const FAILING: Version = Version::new(1, 5, 11);

/// The deployed stack, and what else is in the account. Fields drop in order, so the functions stop before what they call.
pub struct Stack {
    ministack: Ministack,
    pub ssm: SsmEndpoint,
    moto: Moto,
    /// The directory for the tests' files.
    pub work: Scratch,
    operator: OnceLock<Caller>,
}

impl Stack {
    /// The stack that all tests share: the first test deploys it, and it is deleted after the last.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Stack>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().expect("the stack could not be deployed for another test");
        shared.upgrade().unwrap_or_else(|| {
            let stack = Arc::new(Self::deploy());
            *shared = Arc::downgrade(&stack);
            stack
        })
    }

    fn deploy() -> Self {
        let moto = Moto::start();
        let ssm = SsmEndpoint::start_without_document(Migration::FailsTo(FAILING));
        let ministack = Ministack::start(&moto, &ssm);
        let stack = Self { ministack, ssm, moto, work: Scratch::new(), operator: OnceLock::new() };
        let built = Scratch::new();
        lay_out(built.path());
        let groups = FLEETS.map(|name| format!("arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/*"));
        let mut deploy = sam();
        deploy.args(["deploy", "--template-file", "infra/template.yaml", "--config-file"]).arg(file("samconfig.toml"));
        deploy.args(["--no-confirm-changeset", "--no-progressbar", "--parameter-overrides"]);
        deploy.arg(format!("FleetNames={}", FLEETS.join(","))).arg(format!("TargetGroups={}", groups.join(",")));
        stack.root().sign(&mut deploy);
        run_to_success(deploy.env("HOME", built.path()).current_dir(built.path()));
        stack
    }

    /// A fleet of three members in the account, applied to the ledger by the operator.
    pub fn fleet(&self, name: &str) -> BuiltFleet {
        self.fleet_with(name, |_| {})
    }

    /// The same, with another configuration.
    pub fn fleet_with(&self, name: &str, change: impl FnOnce(&mut Config)) -> BuiltFleet {
        let (fleet, applied) = self.apply(name, change);
        assert!(!applied.contains("note:"), "{applied}");
        fleet
    }

    /// The same; also returns what the command printed.
    pub fn apply(&self, name: &str, change: impl FnOnce(&mut Config)) -> (BuiltFleet, String) {
        let ledger = ("AWS_ENDPOINT_URL_DYNAMODB", self.ministack.endpoint());
        let fleet = BuiltFleet::new(name, vec![("AWS_ENDPOINT_URL", self.moto.endpoint()), ledger]);
        let mut config = fleet.config();
        change(&mut config);
        let file = self.work.path().join(format!("{name}.toml"));
        fs::write(&file, toml::to_string(&config).unwrap()).unwrap();
        let applied = self.operator().fleetwright(&format!("apply --config {}", file.display()));
        assert_eq!(applied.exit, 0, "{applied:?}");
        (fleet, applied.out)
    }

    /// A caller with all permissions.
    pub fn root(&self) -> Caller {
        self.caller(ACCOUNT, "test")
    }

    /// A caller at the console of EC2 and load balancing, with all permissions.
    pub fn console(&self) -> Caller {
        Caller::new(&self.moto.endpoint(), ACCOUNT, "test")
    }

    /// The caller with these keys.
    pub fn caller(&self, key: &str, secret: &str) -> Caller {
        Caller::new(&self.ministack.endpoint(), key, secret)
    }

    /// The caller that has the stack's policy for operators and no other permission.
    pub fn operator(&self) -> &Caller {
        self.operator.get_or_init(|| self.user("operator", Some(&self.output("Operator"))))
    }

    /// A new user with this policy, or with none.
    pub fn user(&self, name: &str, policy: Option<&str>) -> Caller {
        let root = self.root();
        root.call("iam", "create_user", &json!({"UserName": name}));
        if let Some(policy) = policy {
            root.call("iam", "attach_user_policy", &json!({"UserName": name, "PolicyArn": policy}));
        }
        let made = root.call("iam", "create_access_key", &json!({"UserName": name}));
        let key = |part: &str| made["AccessKey"][part].as_str().unwrap().to_owned();
        self.caller(&key("AccessKeyId"), &key("SecretAccessKey"))
    }

    /// A policy that allows one action on all resources.
    pub fn policy(&self, name: &str, action: &str) -> String {
        let allow = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        let document = json!({"Version": "2012-10-17", "Statement": [allow]}).to_string();
        let made = self.root().call("iam", "create_policy", &json!({"PolicyName": name, "PolicyDocument": document}));
        made["Policy"]["Arn"].as_str().unwrap().to_owned()
    }

    /// An output of the stack.
    fn output(&self, name: &str) -> String {
        let stack = self.root().call("cloudformation", "describe_stacks", &json!({"StackName": "fleetwright"}));
        let mut outputs = stack["Stacks"][0]["Outputs"].as_array().unwrap().iter();
        let output =
            outputs.find(|output| output["OutputKey"] == name).unwrap_or_else(|| panic!("{name} in {stack:#}"));
        output["OutputValue"].as_str().unwrap().to_owned()
    }

    /// A queue that subscribes to the topic of outcomes.
    pub fn listen_to_outcomes(&self) -> String {
        let root = self.root();
        let topics = json!({"Service": "sns.amazonaws.com"});
        let allow = json!({"Effect": "Allow", "Principal": topics, "Action": "sqs:SendMessage", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [allow]}).to_string();
        let queue = json!({"QueueName": "outcomes", "Attributes": {"Policy": policy}});
        let url = root.call("sqs", "create_queue", &queue)["QueueUrl"].clone();
        let subscription = json!({
            "TopicArn": self.output("Outcomes"), "Protocol": "sqs",
            "Endpoint": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:outcomes"),
            "Attributes": {"RawMessageDelivery": "true"},
        });
        root.call("sns", "subscribe", &subscription);
        url.as_str().unwrap().to_owned()
    }

    /// The topic's message about a run. Waits for up to a minute.
    pub fn outcome_of(&self, run: &str, queue: &str) -> Value {
        let request = json!({"QueueUrl": queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 5});
        let message = (0..12).find_map(|_| {
            let answer = self.root().call("sqs", "receive_message", &request);
            let messages = answer["Messages"].as_array().into_iter().flatten();
            let mut bodies = messages.map(|message| serde_json::from_str(message["Body"].as_str().unwrap()).unwrap());
            bodies.find(|body: &Value| body["what"].as_str().is_some_and(|what| what.contains(run)))
        });
        message.unwrap_or_else(|| panic!("after a minute the topic has not said how {run} ended"))
    }
}

/// Lays out what `sam build` leaves: the template with the functions' code beside it. The code is zipped here
/// once, not once for each function.
fn lay_out(directory: &Path) {
    const CODE: &str = "    CodeUri: ..\n";
    let template = fs::read_to_string(file("infra/template.yaml")).unwrap();
    assert_eq!(template.matches(CODE).count(), 1, "the template says once where the code is");
    fs::create_dir(directory.join("infra")).unwrap();
    let template = template.replace(CODE, "    CodeUri: ../bootstrap.zip\n");
    fs::write(directory.join("infra/template.yaml"), template).unwrap();
    symlink(file("infra/instance"), directory.join("infra/instance")).unwrap();
    symlink(file("workflow"), directory.join("workflow")).unwrap();
    let mut zip = python("emulated/stack/zip.py");
    run_to_success(zip.arg(binaries().join("bootstrap")).arg(directory.join("bootstrap.zip")));
}

/// The directory of the workspace's programs. Cargo builds them with the same profile as these tests.
pub fn binaries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let [profile, target] = [2, 3].map(|up| test.ancestors().nth(up).unwrap());
        let name = profile.file_name().unwrap().to_str().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        // The whole workspace: for a single package, Cargo would build the SDK again with fewer features.
        cargo.args(["build", "--quiet", "--workspace", "--bins", "--profile"]);
        cargo.arg(if name == "debug" { "dev" } else { name }).arg("--target-dir").arg(target);
        run_to_success(cargo.current_dir(file(".")));
        profile.to_owned()
    })
}

/// Runs a command; if it fails, panics with all that it printed.
fn run_to_success(command: &mut Command) {
    let output = command.output().unwrap();
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&text));
}
