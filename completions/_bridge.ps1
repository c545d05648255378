
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'bridge' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'bridge'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'bridge' {
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Answer a tool call with an error after this time (30s, 5m); without it, the client decides')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long answers in flight are waited for when the client is gone')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports are tried, in which order')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write down what happens in this file; several processes may share it')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to a server that is not on this machine')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens, message by message (never their contents)')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve a hosted server on stdin and stdout (what `bridge SERVER` does)')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bridge;serve' {
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Answer a tool call with an error after this time (30s, 5m); without it, the client decides')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long answers in flight are waited for when the client is gone')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports are tried, in which order')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write down what happens in this file; several processes may share it')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to a server that is not on this machine')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens, message by message (never their contents)')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bridge;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'bridge;help' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve a hosted server on stdin and stdout (what `bridge SERVER` does)')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bridge;help;serve' {
            break
        }
        'bridge;help;completions' {
            break
        }
        'bridge;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
