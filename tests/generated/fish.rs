//! For fish.

use std::fmt::Write;

use crate::words::{CommandLine, Kind, Opt, Words};

/// The script.
pub fn script(line: &CommandLine) -> String {
    let mut lines = String::new();
    for verb in &line.commands {
        let _ = writeln!(
            lines,
            "complete -c bridge -n '__bridge_at 0 -' -a {} -d {}",
            verb.name,
            quoted(&verb.about)
        );
        if let Words::OneOf(values) = &verb.words {
            let (name, values) = (&verb.name, quoted(&values.join(" ")));
            let _ = writeln!(lines, "complete -c bridge -n '__bridge_at 0 {name}' -a {values}");
        }
    }
    for option in &line.options {
        lines.push_str(&completed(option));
    }
    TEMPLATE
        .replace("@COMMANDS@", &line.names().join(" "))
        .replace("@VALUED@", &line.valued().join(" "))
        .replace("@COMMAND@", &line.behind(&Words::Command).join(" "))
        .replace("@SERVER@", &line.behind(&Words::Server).join(" "))
        .replace("@SERVERS@", &line.behind(&Words::Servers).join(" "))
        .replace("@LINES@", lines.trim_end())
}

fn completed(option: &Opt) -> String {
    let mut names = option.short.map(|short| format!(" -s {short}")).unwrap_or_default();
    for long in &option.long {
        let _ = write!(names, " -l {long}");
    }
    let value = match option.value.as_ref().map(|it| &it.kind) {
        None => String::new(),
        Some(Kind::Any) => " -x".to_owned(),
        Some(Kind::File) => " -r -F".to_owned(),
        Some(Kind::Folder) => " -x -a '(__fish_complete_directories)'".to_owned(),
        Some(Kind::OneOf(values)) => format!(" -x -a {}", quoted(&values.join(" "))),
    };
    let (takers, about) = (option.commands.join(" "), quoted(&option.about));
    format!("complete -c bridge -n '__bridge_is {takers}'{names}{value} -d {about}\n")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

const TEMPLATE: &str = r#"# Completes `bridge` in fish. Made by scripts/generate.

# Whose words these are; - where there is no command.
function __bridge_command
    set -l words (commandline -opc)
    if contains -- "$words[2]" @COMMANDS@
        echo $words[2]
    else
        echo -
    end
end

function __bridge_is
    contains -- (__bridge_command) $argv
end

# Whether so many words stand before the cursor, behind one of these commands.
function __bridge_at
    set -l command (__bridge_command)
    contains -- $command $argv[2..]
    or return 1
    set -l count 0
    set -l is_value 0
    for word in (commandline -opc)[2..]
        if test $is_value = 1
            set is_value 0
        else if contains -- $word @VALUED@
            set is_value 1
        else if not string match -q -- '-*' $word
            set count (math $count + 1)
        end
    end
    if test $command != -
        set count (math $count - 1)
    end
    test $count = $argv[1]
end

function __bridge_servers
    set -l words (commandline -opc)
    eval (string escape -- $words[1]) list --names 2>/dev/null
end

complete -c bridge -f
complete -c mcp-bridge -w bridge
complete -c bridge -n '__bridge_at 0 - @SERVER@' -a '(__bridge_servers)' -d 'saved server'
complete -c bridge -n '__bridge_is @SERVERS@' -a '(__bridge_servers)' -d 'saved server'
complete -c bridge -n '__bridge_at 0 @COMMAND@' -a '@COMMANDS@'
@LINES@
"#;
