//! The command line as a shell sees it: commands, what stands behind them, options, and who takes them.

use clap::{Arg, Command, ValueHint};

/// What is typed without a command: a server to be served.
pub const NO_COMMAND: &str = "-";

/// All of it.
pub struct CommandLine {
    pub commands: Vec<Verb>,
    pub options: Vec<Opt>,
}

/// A command.
pub struct Verb {
    pub name: String,
    pub about: String,
    pub words: Words,
}

/// What is completed behind a command.
#[derive(PartialEq, Eq)]
pub enum Words {
    /// Nothing that is known here.
    Nothing,
    /// One saved server.
    Server,
    /// Any number of them.
    Servers,
    /// One of these.
    OneOf(Vec<String>),
    /// A command.
    Command,
}

/// An option, the same for each command that has it here.
#[derive(PartialEq, Eq)]
pub struct Opt {
    pub short: Option<char>,
    /// Without dashes; its aliases behind it.
    pub long: Vec<String>,
    pub about: String,
    pub value: Option<Value>,
    pub is_repeatable: bool,
    /// Who takes it; [`NO_COMMAND`] among them.
    pub commands: Vec<String>,
}

/// What is behind an option.
#[derive(PartialEq, Eq)]
pub struct Value {
    /// As in the help.
    pub name: String,
    pub kind: Kind,
}

/// How a value is completed.
#[derive(PartialEq, Eq)]
pub enum Kind {
    Any,
    File,
    Folder,
    OneOf(Vec<String>),
}

impl CommandLine {
    pub fn of(command: &Command) -> Self {
        let mut command = command.clone();
        command.build();
        let mut line = Self { commands: Vec::new(), options: Vec::new() };
        line.add_options(&command, NO_COMMAND);
        for each in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            let name = each.get_name();
            let about = each.get_about().map(ToString::to_string).unwrap_or_default();
            line.commands.push(Verb { name: name.to_owned(), about, words: words(each) });
            if name != "help" {
                line.add_options(each, name);
            }
        }
        line
    }

    fn add_options(&mut self, command: &Command, name: &str) {
        let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
        for option in shown.filter_map(option) {
            match self.options.iter_mut().find(|it| is_same(it, &option)) {
                Some(known) => known.commands.push(name.to_owned()),
                None => self.options.push(Opt { commands: vec![name.to_owned()], ..option }),
            }
        }
    }

    /// The commands behind which this is completed.
    pub fn behind(&self, wanted: &Words) -> Vec<&str> {
        let verbs = self.commands.iter().filter(|it| it.words == *wanted);
        verbs.map(|it| &*it.name).collect()
    }

    /// The names of all commands.
    pub fn names(&self) -> Vec<&str> {
        self.commands.iter().map(|it| &*it.name).collect()
    }

    /// The options that a value follows, as they are typed, each once.
    pub fn valued(&self) -> Vec<String> {
        let valued = self.options.iter().filter(|it| it.value.is_some());
        let mut names: Vec<_> = valued.flat_map(Opt::typed).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The same of those whose values a shell completes in one way.
    pub fn valued_with(&self, is_wanted: impl Fn(&Kind) -> bool) -> Vec<String> {
        let is_wanted = |it: &&Opt| it.value.as_ref().is_some_and(|value| is_wanted(&value.kind));
        let mut names: Vec<_> =
            self.options.iter().filter(is_wanted).flat_map(Opt::typed).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Opt {
    /// All its names with their dashes, the short one first.
    pub fn typed(&self) -> Vec<String> {
        let short = self.short.map(|short| format!("-{short}"));
        short.into_iter().chain(self.long.iter().map(|long| format!("--{long}"))).collect()
    }
}

fn is_same(one: &Opt, other: &Opt) -> bool {
    (one.short, &one.long, &one.about, &one.value)
        == (other.short, &other.long, &other.about, &other.value)
}

fn option(arg: &Arg) -> Option<Opt> {
    let long = arg.get_long()?.to_owned();
    let about = match &*long {
        // clap says where there is more, which is not the same for all.
        "help" => "Print help".to_owned(),
        _ => arg.get_help().map(ToString::to_string).unwrap_or_default(),
    };
    let aliases = arg.get_visible_aliases().unwrap_or_default();
    let long = std::iter::once(long).chain(aliases.into_iter().map(str::to_owned)).collect();
    let is_repeatable = matches!(arg.get_action(), clap::ArgAction::Append);
    let value = arg.get_action().takes_values().then(|| value(arg));
    let (short, commands) = (arg.get_short(), Vec::new());
    Some(Opt { short, long, about, value, is_repeatable, commands })
}

fn value(arg: &Arg) -> Value {
    let name = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
    let name = name.unwrap_or_default();
    let is_path = !matches!(arg.get_value_hint(), ValueHint::Unknown | ValueHint::Other);
    let values = arg.get_possible_values();
    let kind = match &*name {
        "CLIENT" => {
            Kind::OneOf(mcp_bridge::desktop::CLIENTS.iter().map(|it| it.name.to_owned()).collect())
        }
        _ if !values.is_empty() => {
            let shown = values.iter().filter(|it| !it.is_hide_set());
            Kind::OneOf(shown.map(|it| it.get_name().to_owned()).collect())
        }
        "FOLDER" => Kind::Folder,
        "FILE|-" => Kind::File,
        _ if is_path => Kind::File,
        _ => Kind::Any,
    };
    Value { name, kind }
}

fn words(command: &Command) -> Words {
    let shown = command.get_positionals().filter(|arg| !arg.is_hide_set());
    let first = shown.min_by_key(|arg| arg.get_index());
    match (command.get_name(), first) {
        ("help", _) => Words::Command,
        // A new name.
        ("add", _) | (_, None) => Words::Nothing,
        (_, Some(arg)) if !arg.get_possible_values().is_empty() => {
            let values = arg.get_possible_values();
            Words::OneOf(values.iter().map(|it| it.get_name().to_owned()).collect())
        }
        (_, Some(arg)) => match arg.get_id().as_str() {
            "server" | "name" => Words::Server,
            "servers" => Words::Servers,
            _ => Words::Nothing,
        },
    }
}
