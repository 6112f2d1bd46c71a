//! Python with the packages of `requirements.txt`, installed once under Cargo's target directory.

use super::file;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// A call of one of the scripts beside this file.
pub fn python(script: &str) -> Command {
    static INSTALLED: OnceLock<Installed> = OnceLock::new();
    let mut command = INSTALLED.get_or_init(install).command();
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(file("tests/emulators").join(script));
    command
}

/// Where the packages are.
enum Installed {
    /// In a virtual environment, which has an interpreter of its own.
    Environment(PathBuf),
    /// In a plain directory: some systems' Python comes without what makes environments.
    Directory(PathBuf),
}

impl Installed {
    fn command(&self) -> Command {
        match self {
            Self::Environment(path) => Command::new(path.join("bin/python")),
            Self::Directory(path) => {
                let mut command = Command::new("python3");
                command.env("PYTHONPATH", path);
                command
            }
        }
    }
}

/// Installs what is not there yet. One process does it at a time, and what was cut off is done again.
fn install() -> Installed {
    let requirements = fs::read(file("tests/emulators/requirements.txt")).unwrap();
    let key = key(&requirements, &python_version());
    let emulators = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("emulators");
    fs::create_dir_all(&emulators).unwrap();
    let lock = fs::File::create(emulators.join(format!("{key}.lock"))).unwrap();
    lock.lock().unwrap();

    let home = emulators.join(&key);
    let (environment, directory, ready) = (home.join("venv"), home.join("packages"), home.join("ready"));
    if !ready.exists() {
        let _ = fs::remove_dir_all(&home);
        install_packages(&environment, &directory);
        fs::write(&ready, "").unwrap();
    }
    if directory.exists() { Installed::Directory(directory) } else { Installed::Environment(environment) }
}

/// Sixteen hexadecimal digits that change with what is wanted and with the Python that runs it.
fn key(requirements: &[u8], version: &[u8]) -> String {
    let digest = Sha256::new().chain_update(requirements).chain_update(version).finalize();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn python_version() -> Vec<u8> {
    let program = "import sys; print(sys.executable, sys.version); sys.exit(sys.version_info < (3, 10))";
    match Command::new("python3").args(["-c", program]).output() {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => panic!("the emulators need Python 3.10 or later, python3 is\n{}", told(&output)),
        Err(error) => panic!("the emulators need Python 3.10 or later; python3 does not start: {error}"),
    }
}

fn install_packages(environment: &Path, directory: &Path) {
    let made = run(Command::new("python3").args(["-m", "venv"]).arg(environment));
    let installed = if made.status.success() {
        run(&mut pip(Command::new(environment.join("bin/python"))))
    } else {
        let _ = fs::remove_dir_all(environment);
        run(pip(Command::new("python3")).arg("--target").arg(directory))
    };
    assert!(
        installed.status.success(),
        "the emulators could not be installed with pip (on Debian and Ubuntu: apt-get install python3-venv)\n{}{}",
        if made.status.success() { String::new() } else { told(&made) },
        told(&installed)
    );
}

fn pip(mut python: Command) -> Command {
    python.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"]);
    python.arg(file("tests/emulators/requirements.txt"));
    python
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}
