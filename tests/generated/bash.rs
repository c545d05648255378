//! For bash, from 3.2 on, which macOS has.

use std::fmt::Write;

use crate::words::{CommandLine, Kind, NO_COMMAND, Words};

/// The script.
pub fn script(line: &CommandLine) -> String {
    let mut options = String::new();
    for name in [NO_COMMAND].into_iter().chain(line.names()) {
        let taken = line.options.iter().filter(|it| it.commands.iter().any(|it| it == name));
        let typed: Vec<_> = taken.flat_map(|it| it.typed()).collect();
        if !typed.is_empty() {
            let _ = writeln!(options, "        {name}) options=\"{}\" ;;", typed.join(" "));
        }
    }
    let mut choices = String::new();
    for option in &line.options {
        if let Some(Kind::OneOf(values)) = option.value.as_ref().map(|it| &it.kind) {
            let (names, values) = (option.typed().join("|"), values.join(" "));
            let case = format!("        {names}) words=\"{values}\" ;;\n");
            if !choices.contains(&case) {
                choices.push_str(&case);
            }
        }
    }
    let mut fixed = String::new();
    for verb in &line.commands {
        if let Words::OneOf(words) = &verb.words {
            let _ = writeln!(fixed, "        {}:0) words=\"{}\" ;;", verb.name, words.join(" "));
        }
    }
    let cases = |words: &Words, count: &str| {
        let names = line.behind(words).into_iter().map(|name| format!("{name}:{count}"));
        names.collect::<Vec<_>>().join("|")
    };
    TEMPLATE
        .replace("@COMMANDS@", &line.names().join(" "))
        .replace("@VALUED@", &line.valued().join(" "))
        .replace("@FILES@", &line.valued_with(|kind| *kind == Kind::File).join("|"))
        .replace("@FOLDERS@", &line.valued_with(|kind| *kind == Kind::Folder).join("|"))
        .replace("@OPTIONS@", options.trim_end())
        .replace("@CHOICES@", choices.trim_end())
        .replace("@FIXED@", fixed.trim_end())
        .replace("@COMMAND@", &cases(&Words::Command, "0"))
        .replace("@SERVER@", &cases(&Words::Server, "0"))
        .replace("@SERVERS@", &cases(&Words::Servers, "*"))
}

const TEMPLATE: &str = r#"# Completes `bridge` in bash. Made by scripts/generate.

# The options of a command.
_bridge_options() {
    case $1 in
@OPTIONS@
    esac
}

# What a value of an option can be.
_bridge_values() {
    case $1 in
@CHOICES@
        @FILES@) files=-f ;;
        @FOLDERS@) files=-d ;;
    esac
}

_bridge() {
    local commands="@COMMANDS@"
    local valued="@VALUED@"
    local command=- count=0 option="" options="" words="" names="" files="" joined="" cur=$2 name word i

    # Whose words these are, how many stand before the cursor, and the option whose value is there.
    for (( i = 1; i < COMP_CWORD; i++ )); do
        word=${COMP_WORDS[i]}
        if [[ $word == [=:] ]]; then
            joined=yes
            continue
        elif [[ -n $option ]]; then
            option=""
        elif [[ -n $joined ]]; then
            : # The rest of the word before.
        elif [[ $word == -* ]]; then
            [[ " $valued " != *" $word "* ]] || option=$word
        elif [[ $i == 1 && " $commands " == *" $word "* ]]; then
            command=$word
        else
            count=$(( count + 1 ))
        fi
        joined=""
    done
    [[ $cur != = ]] || cur=""

    if [[ -n $option ]]; then
        _bridge_values "$option"
    elif [[ $cur == -* ]]; then
        _bridge_options "$command"
        words=$options
    else
        case $command:$count in
            -:0) words=$commands names=yes ;;
            @SERVER@|@SERVERS@) names=yes ;;
            @COMMAND@) words=$commands ;;
    @FIXED@
        esac
    fi

    COMPREPLY=( $(compgen -W "$words" -- "$cur") )
    if [[ -n $names ]]; then
        while IFS= read -r name; do
            [[ $name != "$cur"* ]] || COMPREPLY+=( "$name" )
        done < <("${1/#\~/$HOME}" list --names 2>/dev/null)
    fi
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r name; do
            COMPREPLY+=( "$name" )
        done < <(compgen "$files" -- "$cur")
    fi
}

complete -F _bridge bridge mcp-bridge
"#;
