//! The life of the process: parse, begin the log, run the command, report, exit code.

use std::process::ExitCode;

use mcp_bridge::cli::{
    AddArgs, CallArgs, Cli, Command, DoctorArgs, Gravity, LoginArgs, LogoutArgs, LogsArgs,
    PromptArgs, PurgeArgs, ReadArgs, Refused, ServeArgs, StatusArgs,
};
use mcp_bridge::commands::Use;
use mcp_bridge::commands::call::{Arguments, Call};
use mcp_bridge::commands::doctor::{How, Patient};
use mcp_bridge::commands::logs::Logs;
use mcp_bridge::commands::prompts::{Prompt, Prompts};
use mcp_bridge::commands::purge::Consent;
use mcp_bridge::commands::resources::{Read, Resources};
use mcp_bridge::commands::tools::Tools;
use mcp_bridge::credentials::Patience;
use mcp_bridge::error::{Error, Exit};
use mcp_bridge::{cli, commands, config, logging, ui};

fn main() -> ExitCode {
    let cli = match config::saved::command_line() {
        Ok(cli) => cli,
        Err(Refused::Wrong(error)) => return unserved(&error, cli::is_serving()).into(),
        Err(Refused::Shown(text)) => return ui::show(&text).into(),
    };
    tell_unread_variables(&cli);
    let serves = matches!(cli.command, None | Some(Command::Serve(_)));
    // A defect is told by the log, whose last lines are then still to be written.
    let done = std::panic::catch_unwind(|| run(cli));
    logging::finish();
    match done {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => unserved(&error, serves).into(),
        Err(_) => Exit::Failed.into(),
    }
}

/// Says why the process ends, to the client too where it is there for one.
fn unserved(error: &Error, serves: bool) -> Exit {
    let exit = ui::report(error);
    if serves {
        commands::unserved::answer(error);
    }
    exit
}

fn run(cli: Cli) -> Result<Exit, Error> {
    let done = match cli.command {
        Some(Command::Doctor(args)) => return doctor(&args),
        None => serve(&cli.serve),
        Some(Command::Serve(args)) => serve(&args),
        Some(Command::Login(args)) => login(&args),
        Some(Command::Logout(args)) => logout(&args),
        Some(Command::Status(args)) => status(&args),
        Some(Command::Add(args)) => add(&args),
        Some(Command::List(args)) => commands::list::run(&args),
        Some(Command::Show(args)) => commands::show::run(&args),
        Some(Command::Remove(args)) => commands::remove::run(&args),
        Some(Command::Install(args)) => {
            commands::install::run(&args, &config::Environment::of_process())
        }
        Some(Command::Uninstall(args)) => {
            commands::uninstall::run(&args, &config::Environment::of_process())
        }
        Some(Command::Tools(args)) => {
            use_server(&args.server, &Use::Tools(Tools { tool: args.tool, json: args.json }))
        }
        Some(Command::Call(args)) => call(*args),
        Some(Command::Resources(args)) => {
            use_server(&args.server, &Use::Resources(Resources { json: args.json }))
        }
        Some(Command::Read(args)) => read(*args),
        Some(Command::Prompts(args)) => {
            use_server(&args.server, &Use::Prompts(Prompts { json: args.json }))
        }
        Some(Command::Prompt(args)) => prompt(*args),
        Some(Command::Import(args)) => {
            commands::import::run(&args, &config::Environment::of_process())
        }
        Some(Command::Logs(args)) => logs(&args),
        Some(Command::Purge(args)) => purge(&args),
        Some(Command::SignInHelper) => sign_in_helper(),
        Some(Command::Completions { shell }) => commands::completions::run(shell),
    };
    done.map(|()| Exit::Ok)
}

/// A slip in the name of a variable is told to whoever types a command. A client's process is silent where all works,
/// and the doctor tells it among the rest.
fn tell_unread_variables(cli: &Cli) {
    let tells = !matches!(
        cli.command,
        None | Some(
            Command::Serve(_)
                | Command::SignInHelper
                | Command::Doctor(_)
                | Command::Completions { .. }
        )
    );
    if tells {
        for (name, meant) in config::unread_variables(&config::Environment::of_process()) {
            let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            ui::say(&format!("warning: nothing reads {name}{meant}"));
        }
    }
}

fn serve(args: &ServeArgs) -> Result<(), Error> {
    let environment = config::Environment::of_process();
    start_log_with_events(args, &environment)?;
    commands::serve::run(connecting(args, &environment, Patience::Serving)?)
}

fn add(args: &AddArgs) -> Result<(), Error> {
    start_log(&args.server.log)?;
    commands::add::run(args)
}

/// What was typed, for a command that sends something to the server.
fn connecting(
    args: &ServeArgs,
    environment: &config::Environment,
    patience: Patience,
) -> Result<config::Serve, Error> {
    let mut config = config::serve(args, environment)?;
    commands::kept::fill(&mut config, patience)?;
    Ok(config)
}

/// The same for a command that a person types.
fn for_person(args: &ServeArgs, environment: &config::Environment) -> Result<config::Serve, Error> {
    if let Some(saved) = &args.saved {
        commands::list::warn_a_person_of_secrets(saved);
    }
    connecting(args, environment, Patience::Interactive)
}

fn login(args: &LoginArgs) -> Result<(), Error> {
    let environment = config::Environment::of_process();
    start_log_with_events(&args.server, &environment)?;
    let config = for_person(&args.server, &environment)?;
    let LoginArgs { device, with_token, force, .. } = *args;
    commands::login::run(&config, commands::login::How { device, with_token, force })
}

fn logout(args: &LogoutArgs) -> Result<(), Error> {
    start_log(&args.server.log)?;
    let environment = config::Environment::of_process();
    match (&args.server.server, args.all) {
        (Some(_), false) => commands::logout::run(&config::serve(&args.server, &environment)?),
        (None, true) => commands::logout::all(&config::sign_ins(&args.server, &environment)?),
        (Some(_), true) => Err(Error::usage("`--all` and a server contradict each other")
            .hint("take one of them away")),
        (None, false) => Err(Error::usage("no server is named")
            .hint("write its address, or `bridge logout --all`; `bridge status` lists them")),
    }
}

fn status(args: &StatusArgs) -> Result<(), Error> {
    start_log(&args.server.log)?;
    let environment = config::Environment::of_process();
    let sign_ins = config::sign_ins(&args.server, &environment)?;
    let only = match &args.server.server {
        Some(_) => Some(commands::status::one(&config::serve(&args.server, &environment)?)),
        None => None,
    };
    commands::status::run(&sign_ins, only.as_ref(), args.json)
}

fn call(args: CallArgs) -> Result<(), Error> {
    let CallArgs { tool, pairs, args, output, json, server } = args;
    let arguments = Arguments::of(pairs, args)?;
    let tool = tool.unwrap_or_default();
    use_server(&server, &Use::Call(Call { tool, arguments, output, json }))
}

fn read(args: ReadArgs) -> Result<(), Error> {
    let ReadArgs { uri, output, json, server } = args;
    use_server(&server, &Use::Read(Read { uri: uri.unwrap_or_default(), output, json }))
}

fn prompt(args: PromptArgs) -> Result<(), Error> {
    let PromptArgs { name, pairs, output, json, server } = args;
    let name = name.unwrap_or_default();
    use_server(&server, &Use::Prompt(Prompt { name, pairs, output, json }))
}

fn use_server(args: &ServeArgs, wanted: &Use) -> Result<(), Error> {
    start_log(&args.log)?;
    let environment = config::Environment::of_process();
    let config = for_person(args, &environment)?;
    commands::use_server(&config, wanted)
}

/// How it ends is what the checks came to.
fn doctor(args: &DoctorArgs) -> Result<Exit, Error> {
    start_log(&args.server.log)?;
    let environment = config::Environment::of_process();
    let (machine, still) = config::machine(&environment);
    let how = How { json: args.json, still };
    let named = args.server.server.as_deref();
    let (serve, sign_ins);
    let patient = if named.is_some() {
        serve = connecting(&args.server, &environment, Patience::Interactive);
        serve.as_ref().map(Patient::Server)
    } else {
        sign_ins = config::sign_ins(&args.server, &environment);
        sign_ins.as_ref().map(Patient::Machine)
    };
    let patient = patient.unwrap_or_else(|error| Patient::Misconfigured(error.clone(), named));
    commands::doctor::run(&machine, patient, how)
}

/// The helper means by its arguments what the process that started it means by them.
fn sign_in_helper() -> Result<(), Error> {
    let (arguments, cause) = commands::sign_in_helper::errand()?;
    let cli = config::saved::command_line_of(&arguments).map_err(|_| {
        Error::usage("the helper can't read the arguments of the process that started it")
    })?;
    let args = match cli.command {
        None => cli.serve,
        Some(Command::Serve(args)) => *args,
        Some(_) => return Err(Error::usage("only a process that serves starts a helper")),
    };
    let environment = config::Environment::of_process();
    start_log_with_events(&args, &environment)?;
    let config = connecting(&args, &environment, Patience::Serving)?;
    commands::sign_in_helper::run(&config, &cause)
}

/// What happened to the connections with servers; of none itself. A file of `--log` that was typed, or is saved with a
/// server, is read here; the variable tells this process as any other where to write.
fn logs(args: &LogsArgs) -> Result<(), Error> {
    let LogsArgs { follow, problems, level, method, since, lines, server } = args;
    let environment = config::Environment::of_process();
    let settings = config::log(&server.log);
    let file = server.log.log.clone().filter(|file| !config::is_log_of(file, &environment));
    let own = settings.file.clone().filter(|_| file.is_none());
    begin_log(logging::Settings { file: own, bodies: false, ..settings })?;
    let named = match server.server {
        Some(_) => Some(config::serve(server, &environment)?),
        None => None,
    };
    let events = named.as_ref().and_then(|_| config::events(server, &environment));
    let least = if *problems { Some(Gravity::Warning) } else { *level };
    commands::logs::run(&Logs {
        folder: config::events_folder().unwrap_or_default(),
        server: named.filter(|_| file.is_some()).map(|named| named.endpoint.shown()),
        only: file.or(events),
        least: least.unwrap_or(Gravity::Debug),
        method: method.clone(),
        since: *since,
        lines: *lines,
        follow: *follow,
    })
}

fn purge(args: &PurgeArgs) -> Result<(), Error> {
    start_log(&args.server.log)?;
    if args.server.server.is_some() {
        return Err(Error::usage("`purge` takes no server: it removes everything")
            .hint("`bridge logout SERVER` ends one sign-in"));
    }
    let how = match (args.dry_run, args.yes) {
        (true, _) => Consent::DryRun,
        (_, true) => Consent::Agreed,
        _ => Consent::Asking,
    };
    let sign_ins = config::sign_ins(&args.server, &config::Environment::of_process())?;
    commands::purge::run(&sign_ins, how)
}

fn start_log(args: &mcp_bridge::cli::LogArgs) -> Result<(), Error> {
    begin_log(config::log(args))
}

/// Where a server is served or signed in to, what happens is always written down.
fn start_log_with_events(args: &ServeArgs, environment: &config::Environment) -> Result<(), Error> {
    begin_log(logging::Settings {
        events: config::events(args, environment),
        ..config::log(&args.log)
    })
}

fn begin_log(settings: logging::Settings) -> Result<(), Error> {
    let seen = settings.stderr == logging::Level::Everything || settings.file.is_some();
    logging::start(&settings).map_err(|error| {
        let file = settings.file.unwrap_or_default();
        Error::usage(format!("the log can't be written to {}", file.display()))
            .because(error)
            .hint("name a file that you may write with `--log`, or leave it out")
    })?;
    if seen {
        let unread = config::unread_variables(&config::Environment::of_process());
        let names: Vec<_> = unread.into_iter().map(|(name, _)| name).collect();
        if !names.is_empty() {
            tracing::info!(
                "nothing reads {}: `bridge --help` names the variables",
                names.join(", ")
            );
        }
    }
    Ok(())
}
