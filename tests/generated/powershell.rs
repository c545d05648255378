//! For PowerShell, from 5.1 on, which Windows has.

use std::fmt::Write;

use crate::words::{CommandLine, Kind, Words};

/// The script.
pub fn script(line: &CommandLine) -> String {
    let mut commands = String::new();
    let mut words = String::new();
    for verb in &line.commands {
        let _ = writeln!(commands, "        {} = {}", quoted(&verb.name), quoted(&verb.about));
        if let Words::OneOf(values) = &verb.words {
            let values: Vec<_> = values.iter().map(|it| quoted(it)).collect();
            let (name, values) = (quoted(&verb.name), values.join(", "));
            let _ = writeln!(
                words,
                "        if ($command -eq {name} -and $count -eq 0) {{ {values} }}"
            );
        }
    }
    let mut options = String::new();
    let mut choices = Vec::<String>::new();
    for option in &line.options {
        for name in option.typed() {
            let (takers, about) = (quoted(&option.commands.join(" ")), quoted(&option.about));
            let _ = writeln!(options, "        @({}, {takers}, {about}),", quoted(&name));
            if let Some(Kind::OneOf(values)) = option.value.as_ref().map(|it| &it.kind) {
                let line = format!("        {} = {}", quoted(&name), quoted(&values.join(" ")));
                if !choices.contains(&line) {
                    choices.push(line);
                }
            }
        }
    }
    let list = |words: Vec<String>| {
        let words: Vec<_> = words.iter().map(|it| quoted(it)).collect();
        words.join(", ")
    };
    let behind = |words: &Words| line.behind(words).into_iter().map(str::to_owned).collect();
    TEMPLATE
        .replace("@COMMANDS@", commands.trim_end())
        .replace("@OPTIONS@", options.trim_end().trim_end_matches(','))
        .replace("@CHOICES@", &choices.join("\n"))
        .replace("@VALUED@", &list(line.valued()))
        .replace("@COMMAND@", &list(behind(&Words::Command)))
        .replace("@SERVER@", &list(behind(&Words::Server)))
        .replace("@SERVERS@", &list(behind(&Words::Servers)))
        .replace("@WORDS@", words.trim_end())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

const TEMPLATE: &str = r#"# Completes `bridge` in PowerShell. Made by scripts/generate.

Register-ArgumentCompleter -Native -CommandName 'bridge', 'mcp-bridge' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commands = [ordered]@{
@COMMANDS@
    }
    # Each with who takes it, and what it is for.
    $options = @(
@OPTIONS@
    )
    $values = @{
@CHOICES@
    }
    $valued = @(@VALUED@)

    # Whose words these are, how many stand before the cursor, and the option whose value is there.
    $program = $commandAst.CommandElements[0].ToString().Trim('"', "'")
    $before = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object { $_.ToString() })
    $command = '-'
    $count = 0
    $option = ''
    for ($i = 0; $i -lt $before.Count; $i++) {
        $word = $before[$i]
        if ($option) { $option = '' }
        elseif ($word.StartsWith('-')) { if ($valued -ccontains $word) { $option = $word } }
        elseif ($i -eq 0 -and $commands.Contains($word)) { $command = $word }
        else { $count++ }
    }

    $found = @(if ($option) {
        if ($values.Contains($option)) { $values[$option] -split ' ' }
    }
    elseif ($wordToComplete.StartsWith('-')) {
        $options | Where-Object { ($_[1] -split ' ') -ccontains $command } | ForEach-Object { , $_ }
    }
    else {
        if (($command -eq '-' -or @(@COMMAND@) -contains $command) -and $count -eq 0) {
            $commands.GetEnumerator() | ForEach-Object { , @($_.Key, '', $_.Value) }
        }
@WORDS@
        if (($count -eq 0 -and @('-', @SERVER@) -contains $command) -or @(@SERVERS@) -contains $command) {
            try { & $program list --names 2>$null } catch { }
        }
    })

    $found | ForEach-Object {
        $text = [string]@($_)[0]
        $about = if (@($_).Count -gt 2 -and $_[2]) { $_[2] } else { $text }
        if ($text.StartsWith($wordToComplete, [StringComparison]::Ordinal)) {
            [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
        }
    }
}
"#;
