//! For zsh.

use std::fmt::Write;

use crate::words::{CommandLine, Kind, Opt, Words};

/// The script.
pub fn script(line: &CommandLine) -> String {
    let mut commands = String::new();
    let mut words = String::new();
    for verb in &line.commands {
        let _ = writeln!(commands, "        {}", quoted(&format!("{}:{}", verb.name, verb.about)));
        if let Words::OneOf(values) = &verb.words {
            let _ = writeln!(
                words,
                "        {}) specs+=('1:word:({})') ;;",
                verb.name,
                values.join(" ")
            );
        }
    }
    let mut options = String::new();
    for option in &line.options {
        let takers = quoted(&option.commands.join(" "));
        for spec in specs(option) {
            let _ = writeln!(options, "        {takers} {}", quoted(&spec));
        }
    }
    TEMPLATE
        .replace("@COMMANDS@", commands.trim_end())
        .replace("@OPTIONS@", options.trim_end())
        .replace("@WORDS@", words.trim_end())
        .replace("@COMMAND@", &line.behind(&Words::Command).join("|"))
        .replace("@SERVER@", &line.behind(&Words::Server).join("|"))
        .replace("@SERVERS@", &line.behind(&Words::Servers).join("|"))
}

/// What `_arguments` takes, for each name of an option.
fn specs(option: &Opt) -> Vec<String> {
    let names = option.typed();
    let before = match (option.is_repeatable, names.len()) {
        (true, _) => "*".to_owned(),
        (false, 1) => String::new(),
        (false, _) => format!("({})", names.join(" ")),
    };
    let about = option.about.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
    let about = about.replace(':', "\\:");
    let value = option.value.as_ref().map(|value| {
        let name = value.name.replace(':', "\\:");
        let action = match &value.kind {
            Kind::Any => " ".to_owned(),
            Kind::File => "_files".to_owned(),
            Kind::Folder => "_files -/".to_owned(),
            Kind::OneOf(values) => format!("({})", values.join(" ")),
        };
        format!(":{name}:{action}")
    });
    let joint = |name: &str| match (&value, name.starts_with("--")) {
        (None, _) => "",
        (_, true) => "=",
        (_, false) => "+",
    };
    let value = value.as_deref().unwrap_or_default();
    names.iter().map(|name| format!("{before}{name}{}[{about}]{value}", joint(name))).collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

const TEMPLATE: &str = r#"#compdef bridge mcp-bridge
# Completes `bridge` in zsh. Made by scripts/generate.

_bridge_servers() {
    local -a names
    names=( ${(f)"$(_call_program servers $program list --names 2>/dev/null)"} )
    _describe -t servers 'saved server' names
}

_bridge_commands() {
    _describe -t commands 'command' commands
}

_bridge_first() {
    _alternative 'commands:command:_bridge_commands' 'servers:saved server:_bridge_servers'
}

_bridge() {
    local program=$words[1] command=- takers spec
    local -a commands options specs
    commands=(
@COMMANDS@
    )
    # Who takes it, and what it is.
    options=(
@OPTIONS@
    )

    if (( CURRENT > 2 )) && [[ -n ${commands[(r)${(b)words[2]}:*]} ]]; then
        command=$words[2]
        shift words
        (( CURRENT-- ))
    fi
    for takers spec in "$options[@]"; do
        [[ " $takers " != *" $command "* ]] || specs+=( "$spec" )
    done
    case $command in
        -) specs+=('1: :_bridge_first' '*: : ') ;;
        @SERVER@) specs+=('1: :_bridge_servers' '*: : ') ;;
        @SERVERS@) specs+=('*: :_bridge_servers') ;;
        @COMMAND@) specs+=('1: :_bridge_commands') ;;
@WORDS@
        *) specs+=('*: : ') ;;
    esac
    _arguments -s -S : "$specs[@]"
}

if [[ $funcstack[1] == _bridge ]]; then
    _bridge "$@"
else
    compdef _bridge bridge mcp-bridge
fi
"#;
