//! Python with the packages of a requirements file, which are installed once under Cargo's target directory.

use super::file;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A call of a script in `tests/`, with the emulators' packages.
pub fn python(script: &str) -> Command {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    let mut command = INSTALLED.get_or_init(|| install("requirements.txt")).command();
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(file("tests").join(script));
    command
}

/// A call of `sam`. It has its own packages, because it requires other versions than the emulators.
pub fn sam() -> Command {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    let mut command = INSTALLED.get_or_init(|| install("sam-requirements.txt")).command();
    command.env("SAM_CLI_TELEMETRY", "0").args(["-m", "samcli"]);
    command
}

/// The location of installed packages.
enum Installed {
    /// A virtual environment, with its own interpreter.
    Environment(PathBuf),
    /// A plain directory, for systems whose Python has no `venv` module.
    Directory(PathBuf),
}

impl Installed {
    /// Python with these packages, and without the AWS settings and credentials of the person who runs the tests.
    fn command(&self) -> Command {
        let mut command = match self {
            Self::Environment(path) => Command::new(path.join("bin/python")),
            Self::Directory(path) => {
                let mut command = Command::new("python3");
                command.env("PYTHONPATH", path);
                command
            }
        };
        without_aws(&mut command);
        command
    }
}

/// Removes from a command's environment everything that could give it access to a real account.
pub fn without_aws(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"AWS_")) {
        command.env_remove(name);
    }
    command.env("AWS_CONFIG_FILE", "/dev/null").env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
}

/// Installs packages if they are missing. One process installs at a time, and an interrupted installation starts over.
fn install(requirements: &str) -> Installed {
    let requirements = file("tests/emulators").join(requirements);
    let key = key(&fs::read(&requirements).unwrap(), &python_version());
    let emulators = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("emulators");
    fs::create_dir_all(&emulators).unwrap();
    let lock = fs::File::create(emulators.join(format!("{key}.lock"))).unwrap();
    lock.lock().unwrap();

    let home = emulators.join(&key);
    let (environment, directory, ready) = (home.join("venv"), home.join("packages"), home.join("ready"));
    if !ready.exists() {
        let _ = fs::remove_dir_all(&home);
        install_packages(&requirements, &environment, &directory);
        fs::write(&ready, "").unwrap();
    }
    if directory.exists() { Installed::Directory(directory) } else { Installed::Environment(environment) }
}

/// Sixteen hexadecimal digits that depend on the requirements and on the version of Python.
fn key(requirements: &[u8], version: &[u8]) -> String {
    let digest = Sha256::new().chain_update(requirements).chain_update(version).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn python_version() -> Vec<u8> {
    let program = "import sys; print(sys.executable, sys.version); sys.exit(sys.version_info < (3, 10))";
    match Command::new("python3").args(["-c", program]).output() {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => panic!("the emulators need Python 3.10 or later, python3 is\n{}", text_of(&output)),
        Err(error) => panic!("the emulators need Python 3.10 or later; python3 does not start: {error}"),
    }
}

fn install_packages(requirements: &Path, environment: &Path, directory: &Path) {
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(environment));
    let installed = if made.status.success() {
        run(pip(Command::new(environment.join("bin/python"))).arg(requirements))
    } else {
        let _ = fs::remove_dir_all(environment);
        run(pip(Command::new("python3")).arg(requirements).arg("--target").arg(directory))
    };
    assert!(
        installed.status.success(),
        "pip could not install the emulators (on Debian and Ubuntu: apt-get install python3-venv)\n{}{}",
        if made.status.success() { String::new() } else { text_of(&made) },
        text_of(&installed)
    );
}

fn pip(mut python: Command) -> Command {
    python.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"]);
    python
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}
