//! The command line: which commands there are, and which function runs each. A command's arguments stand beside the
//! command.

mod reference;
mod shell;

pub use reference::command_reference;

use crate::operate::{
    self, Stop, answer, apply, doctor, golden_image, history, images, plan, release, repair, revert, scale, status,
    upgrade, watch,
};
use crate::quiet_hours::{self, QuietHoursArgs};
use crate::rehearse::{self, AutoscalingArgs, Goal, RehearsalArgs, RehearseScaleArgs, RehearseUpgradeArgs};
use crate::run_workflow::{self, RunWorkflowArgs};
use crate::{Exit, Streams};
use clap::{CommandFactory, Parser, Subcommand};
use shell::{CompletionsArgs, ManArgs};

/// Keeps a fleet of cloned servers at the right size and on the right version.
///
/// Results go to standard output, progress and errors to standard error.
///
/// Exit status: 0 done or nothing to do, 1 error, 2 wrong usage or input, 3 rolled back, 4 frozen or dead (a person
/// must act), 5 still running, 6 refused (nothing was changed).
#[derive(Debug, Parser)]
#[command(version, max_term_width = 110)]
pub struct Command {
    #[command(subcommand)]
    what: What,
    /// Print without colors; the environment variable `NO_COLOR` does the same.
    #[arg(long, global = true)]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Rehearse a deployed workflow against the simulated AWS, in virtual time.
    ///
    /// A rehearsal calls nothing outside this process and needs no AWS account.
    #[command(subcommand)]
    Rehearse(Rehearse),
    /// Run any Amazon States Language definition.
    #[command(subcommand)]
    Workflow(Workflow),
    /// Find the window of the week in which an upgrade disturbs the fewest requests.
    ///
    /// Reads a trace of request counts from a file, and rehearses the upgrade to learn how long it takes. Prints the
    /// window and why it was chosen. Changes nothing.
    QuietHours(QuietHoursArgs),
    #[command(flatten)]
    Operate(Operate),
    /// Print a script that makes a shell complete this command.
    ///
    /// Bash: `source <(fleetwright completions bash)`. Zsh: write it to a file `_fleetwright` in a directory of
    /// `$fpath`. Fish: `fleetwright completions fish | source`.
    Completions(CompletionsArgs),
    /// Print the man page, or write one page per command.
    Man(ManArgs),
}

#[derive(Debug, Subcommand)]
enum Rehearse {
    /// Rehearse an upgrade of the fleet to another version.
    ///
    /// Exit status: 0 the upgrade succeeds, 3 it rolls back, 4 it freezes, 6 it is refused, 1 an invariant did not hold
    /// or a named fault did not occur.
    Upgrade(RehearseUpgradeArgs),
    /// Rehearse a scale-out or scale-in to a size that an operator orders.
    ///
    /// Exit status: 0 the fleet has the size, 3 the run rolls back, 4 it freezes, 6 it is refused, 1 an invariant did
    /// not hold or a named fault did not occur.
    Scale(RehearseScaleArgs),
    /// Rehearse taking a golden image of a member.
    ///
    /// Exit status: 0 the image is taken, 3 the run rolls back, 4 it freezes, 6 it is refused, 1 an invariant did not
    /// hold or a named fault did not occur.
    GoldenImage(RehearsalArgs),
    /// Replay a trace of request counts on a model of a fleet that scales.
    ///
    /// Compares the fleet's size over time under Fleetwright's policy with AWS target tracking and with a fleet that
    /// knows the future.
    #[command(visible_alias = "scaling")]
    Autoscaling(AutoscalingArgs),
}

#[derive(Debug, Subcommand)]
enum Workflow {
    /// Run a definition in virtual time and print how the execution ended, as one JSON object.
    ///
    /// Mocks answer its tasks.
    ///
    /// Exit status: 0 the execution succeeded, 1 it failed, 2 the definition or the input is invalid.
    Run(RunWorkflowArgs),
}

/// The commands that work with the deployed stack. They take region, credentials and endpoints from where the AWS CLI
/// takes them.
#[derive(Debug, Subcommand)]
enum Operate {
    /// Check a fleet's configuration, also against AWS, and store it in the ledger.
    ///
    /// Also creates or deletes the fleet's scaling alarms and the schedules that start `upgrade.wanted`. Repeating the
    /// command changes nothing. A run that has already begun keeps the configuration that it began with.
    Apply(apply::ApplyArgs),
    /// Show what an upgrade would do, how long it takes and what it needs.
    ///
    /// Checks what the upgrade itself checks and rehearses it. Changes nothing.
    ///
    /// Exit status: 0 planned or nothing to do, 6 the upgrade would be refused.
    Plan(plan::PlanArgs),
    /// Start an upgrade and watch it until it ends.
    ///
    /// The run continues if this command is interrupted.
    ///
    /// Exit status: 0 upgraded, scheduled or nothing to do, 3 rolled back, 4 frozen or dead, 5 still running when
    /// `--timeout` is over, 6 refused.
    Upgrade(upgrade::UpgradeArgs),
    /// Show a fleet as the ledger and AWS have it now.
    ///
    /// Shows the version, the members and their health, the run that holds the lock and its current state, and why an
    /// upgrade would be refused. Changes nothing.
    Status(operate::FleetArgs),
    /// Watch a run until it ends.
    ///
    /// Changes nothing.
    ///
    /// Exit status: 0 the run reached its goal, 3 it rolled back, 4 it is frozen or dead, 5 it is still running when
    /// `--timeout` is over.
    Watch(watch::WatchArgs),
    /// List a fleet's runs, the latest first.
    History(operate::FleetArgs),
    /// Let a run that awaits approval delete the leaving members.
    ///
    /// The approval is the last question before the commit: afterwards the run can only finish.
    ///
    /// Exit status: 0 approved, 6 the run does not await approval.
    Approve(operate::RunArgs),
    /// Make a run roll back to the members that were in service before it.
    ///
    /// The run's next forward step sees the abort and fails; the run then rolls back as after any failure.
    ///
    /// Exit status: 0 rolled back as ordered, 4 frozen or dead, 5 still running when `--timeout` is over, 6 the run is
    /// committed or has ended.
    Abort(answer::AbortArgs),
    /// Replace all members with members cloned from a kept image.
    ///
    /// Starts a run and watches it until it ends. Nothing bakes, and no approval is asked. Data stays as it is: the
    /// command says so if a migration went past the version of the image.
    ///
    /// Exit status: 0 reverted or nothing to do, 3 rolled back, 4 frozen or dead, 5 still running when `--timeout` is
    /// over, 6 refused.
    #[command(visible_alias = "rollback")]
    Revert(revert::RevertArgs),
    /// Add members from the golden image, or remove members.
    ///
    /// Starts a run and watches it until it ends. During an upgrade, a scale-out joins the upgrade or waits for it, and
    /// a scale-in waits for it.
    ///
    /// Exit status: 0 scaled or nothing to do, 3 rolled back, 4 frozen or dead, 5 still running when `--timeout` is
    /// over, 6 refused.
    Scale(scale::ScaleArgs),
    /// Take a golden image of a member.
    ///
    /// Starts a run and watches it until it ends. The run takes the member out of service, drains and stops it, makes
    /// the image, starts the member and brings it back into service.
    ///
    /// Exit status: 0 image taken, 3 rolled back, 4 frozen or dead, 5 still running when `--timeout` is over, 6
    /// refused.
    GoldenImage(golden_image::GoldenImageArgs),
    /// List the golden image and the kept images.
    Images(operate::FleetArgs),
    /// Find what is not as declared, and say what fixes it.
    ///
    /// Changes nothing.
    ///
    /// Exit status: 0 all is as declared, 1 something is not.
    Doctor(operate::FleetArgs),
    /// Resume a frozen or dead run, or restore a fleet that was changed by hand.
    ///
    /// A resumed run rolls back before its commit and finishes after it. If no run holds the lock, the command starts a
    /// restore: it brings the fleet's members into service and deletes left-overs of ended runs. Without `--yes` it
    /// only says what it would do.
    ///
    /// Exit status: 0 done or nothing to repair, 4 frozen again or dead, 5 still running when `--timeout` is over, 6
    /// refused.
    Repair(repair::RepairArgs),
    /// End a frozen or dead run in the ledger and free the fleet's lock, without touching AWS resources.
    ///
    /// Use it when repair cannot finish the run and you have put the fleet in order by hand. The command writes the ledger only:
    /// the run ends as frozen and released, and other runs may begin. What the run made stays on AWS, where doctor finds it.
    /// Without `--yes` the command only says what it would do.
    ///
    /// Exit status: 0 done, 6 refused: the run does not hold the lock, or its execution is running and its lease is not
    /// over.
    Release(release::ReleaseArgs),
}

impl Command {
    /// Runs the command. Prints to `streams` only; the exit status says how it ended.
    pub fn run(self, streams: &mut Streams<'_>) -> Exit {
        if self.no_color {
            console::set_colors_enabled(false);
            console::set_colors_enabled_stderr(false);
        }
        match self.what {
            What::Rehearse(Rehearse::Upgrade(args)) => {
                rehearse::run(Goal::Upgrade { to: args.to }, &args.rehearsal, streams)
            }
            What::Rehearse(Rehearse::Scale(args)) => {
                rehearse::run(Goal::Scale { to: args.to }, &args.rehearsal, streams)
            }
            What::Rehearse(Rehearse::GoldenImage(args)) => rehearse::run(Goal::GoldenImage, &args, streams),
            What::Rehearse(Rehearse::Autoscaling(args)) => rehearse::autoscaling(&args, streams),
            What::Workflow(Workflow::Run(args)) => run_workflow::run(&args, streams),
            What::QuietHours(args) => quiet_hours::run(&args, streams),
            What::Completions(args) => shell::completions(Self::command(), &args, streams),
            What::Man(args) => shell::man(Self::command(), &args, streams),
            What::Operate(command) => operate::run(streams, async |streams| command.run(streams).await),
        }
    }
}

impl Operate {
    async fn run(&self, streams: &mut Streams<'_>) -> Result<Exit, Stop> {
        match self {
            Self::Apply(args) => apply::run(args, streams).await,
            Self::Plan(args) => plan::run(args, streams).await,
            Self::Upgrade(args) => upgrade::run(args, streams).await,
            Self::Status(args) => status::run(args, streams).await,
            Self::Watch(args) => watch::run(args, streams).await,
            Self::History(args) => history::run(args, streams).await,
            Self::Approve(args) => answer::approve(args, streams).await,
            Self::Abort(args) => answer::abort(args, streams).await,
            Self::Revert(args) => revert::run(args, streams).await,
            Self::Scale(args) => scale::run(args, streams).await,
            Self::GoldenImage(args) => golden_image::run(args, streams).await,
            Self::Images(args) => images::run(args, streams).await,
            Self::Doctor(args) => doctor::run(args, streams).await,
            Self::Repair(args) => repair::run(args, streams).await,
            Self::Release(args) => release::run(args, streams).await,
        }
    }
}
