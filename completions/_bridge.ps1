# Completes `bridge` in PowerShell. Made by scripts/generate.

Register-ArgumentCompleter -Native -CommandName 'bridge', 'mcp-bridge' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commands = [ordered]@{
        'serve' = 'Serve a server on stdin and stdout (as `bridge SERVER` does)'
        'login' = 'Sign in to a server now'
        'logout' = 'Forget a sign-in, and have its tokens revoked'
        'status' = 'Show who is signed in where'
        'add' = 'Save a server under a name'
        'list' = 'List the saved servers'
        'show' = 'Show what is saved under a name, without secrets'
        'remove' = 'Forget a saved server'
        'install' = 'Write a server into the configuration of a desktop client'
        'uninstall' = 'Take a server out of the configuration of a desktop client'
        'tools' = 'List a server''s tools, or show one'
        'call' = 'Call a tool'
        'resources' = 'List a server''s resources'
        'read' = 'Read a resource'
        'prompts' = 'List a server''s prompts'
        'prompt' = 'Get a prompt'
        'import' = 'Turn the entries of mcp-remote in desktop clients'' configurations into bridge''s'
        'doctor' = 'Check each step to a server, and say what is wrong and what to do'
        'logs' = 'Show what happened to the connections with servers'
        'purge' = 'Remove all that this program ever stored'
        'completions' = 'Print a completion script for a shell'
        'help' = 'Print this message or the help of the given subcommand(s)'
    }
    # Each with who takes it, and what it is for.
    $options = @(
        @('--browser', '- serve login add tools call resources read prompts prompt doctor', 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)'),
        @('--no-browser', '- serve login add tools call resources read prompts prompt doctor', 'Open no page: the same as `--browser never`'),
        @('--device-code', '- serve login add tools call resources read prompts prompt doctor', 'Sign in on another device, with a code (RFC 8628)'),
        @('--client-credentials', '- serve login add tools call resources read prompts prompt doctor', 'Sign in as a program, with a client''s own id and secret (RFC 6749, 4.4)'),
        @('--client-id', '- serve login logout status add tools call resources read prompts prompt doctor', 'Id of a client that is registered at the authorization server'),
        @('--client-secret-file', '- serve login add tools call resources read prompts prompt doctor', 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET'),
        @('--scope', '- serve login add tools call resources read prompts prompt doctor', 'Scopes to ask for, with spaces between; without it, what the server names'),
        @('--resource', '- serve login logout status add tools call resources read prompts prompt doctor', 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names'),
        @('--disable-resource-parameter', '- serve login logout status add tools call resources read prompts prompt doctor', 'Send no resource: the same as `--resource none`'),
        @('--authorize-param', '- serve login add tools call resources read prompts prompt doctor', 'Add a parameter to the authorization request: `prompt=consent` (repeatable)'),
        @('--token-param', '- serve login add tools call resources read prompts prompt doctor', 'Add a parameter to token requests (repeatable)'),
        @('--use-id-token', '- serve login add tools call resources read prompts prompt doctor', 'Send the ID token in place of the access token'),
        @('--redirect-uri', '- serve login add tools call resources read prompts prompt doctor', 'Whole redirect URI, when the authorization server knows a certain one'),
        @('--host', '- serve login add tools call resources read prompts prompt doctor', 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`'),
        @('--callback-path', '- serve login add tools call resources read prompts prompt doctor', 'Path of the redirect URI; without it, `/oauth/callback`'),
        @('--auth-success-url', '- serve login add tools call resources read prompts prompt doctor', 'Where the browser goes after a success, in place of our own page'),
        @('--auth-timeout', '- serve login add tools call resources read prompts prompt doctor', 'How long a sign-in may take; without it, 15 minutes'),
        @('--static-oauth-client-info', '- serve login logout status add tools call resources read prompts prompt doctor', 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`'),
        @('--static-oauth-client-metadata', '- serve login add tools call resources read prompts prompt doctor', 'Members of the registration request as JSON, or `@FILE` (RFC 7591)'),
        @('--client-metadata-url', '- serve login add tools call resources read prompts prompt doctor', 'Address of your own client ID metadata document'),
        @('--auth-server-metadata-url', '- serve login add tools call resources read prompts prompt doctor', 'Address of the authorization server''s metadata, in place of what the server names'),
        @('--trust-issuer', '- serve login logout status add tools call resources read prompts prompt doctor', 'Trust this issuer although its metadata names another'),
        @('--token-endpoint', '- serve login add tools call resources read prompts prompt doctor', 'Token endpoint, in place of looking for it; with `--client-credentials`'),
        @('--header', '- serve login add tools call resources read prompts prompt doctor', 'Send a header, as `Name=value`'),
        @('--header-file', '- serve login add tools call resources read prompts prompt doctor', 'Send the headers in this file'),
        @('--header-command', '- serve login add tools call resources read prompts prompt doctor', 'Send the headers that this program prints'),
        @('--header-command-arg', '- serve login add tools call resources read prompts prompt doctor', 'One argument of the program, as it is (repeatable)'),
        @('--header-command-timeout', '- serve login add tools call resources read prompts prompt doctor', 'How long the program may take'),
        @('--disable-cookies', '- serve login add tools call resources read prompts prompt doctor', 'Ignore cookies'),
        @('--deny-tool', '- serve login add tools call resources read prompts prompt doctor', 'Hide these tools'),
        @('--ignore-tool', '- serve login add tools call resources read prompts prompt doctor', 'Hide these tools'),
        @('--allow-tool', '- serve login add tools call resources read prompts prompt doctor', 'Offer only these tools'),
        @('--read-only', '- serve login add tools call resources read prompts prompt doctor', 'Offer only tools that change nothing'),
        @('--max-message-size', '- serve login add tools call resources read prompts prompt doctor', 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)'),
        @('--tool-timeout', '- serve login add tools call resources read prompts prompt doctor', 'Give up a tool call after this time (2m)'),
        @('--drain', '- serve login add doctor', 'How long to wait for answers in flight when the client has left'),
        @('--allow-http', '- serve login logout status add tools call resources read prompts prompt doctor', 'Allow http:// to another machine'),
        @('--ca-cert', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'Trust the certificates in this PEM file too'),
        @('--client-cert', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'Your certificate, if the server wants one'),
        @('--client-key', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'Key of `--client-cert` (PEM, not encrypted)'),
        @('--proxy', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'Use this proxy, as in `http://HOST:PORT`'),
        @('--enable-proxy', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'),
        @('--ipv4', '- serve login logout status add tools call resources read prompts prompt doctor', 'Connect by IPv4 only'),
        @('--ipv6', '- serve login logout status add tools call resources read prompts prompt doctor', 'Connect by IPv6 only'),
        @('--connect-timeout', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'How long making a connection may take (seconds, or with a unit; 0: no limit)'),
        @('--headers-timeout', '- serve login logout status add tools call resources read prompts prompt doctor purge', 'How long to wait for an answer to begin; without it, no limit'),
        @('--body-timeout', '- serve login add tools call resources read prompts prompt doctor', 'How long an answer or stream may pause; without it, no limit'),
        @('--keep-alive', '- serve login add doctor', 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'),
        @('--ping-interval', '- serve login add doctor', 'The time between two pings; turns `--keep-alive` on'),
        @('--credential-store', '- serve login logout status add tools call resources read prompts prompt doctor', 'Where the tokens of a sign-in are kept'),
        @('--profile', '- serve login logout status add tools call resources read prompts prompt doctor', 'Which of several accounts at the server this is: `work`, `personal`'),
        @('--transport', '- serve login add tools call resources read prompts prompt doctor', 'Which transports to try, in which order'),
        @('--protocol', '- serve login add tools call resources read prompts prompt doctor', 'How to speak to the server: as it turns out, or with or without a handshake'),
        @('--client-protocol', '- serve login add doctor', 'What a client of the modern protocol is told that could fall back on the legacy one'),
        @('--debug', '- serve login logout status add tools call resources read prompts prompt doctor', 'Say on stderr what happens'),
        @('--silent', '- serve login logout status add tools call resources read prompts prompt doctor', 'Say nothing on stderr (unless `--debug` is given too)'),
        @('--log', '- serve login logout status add tools call resources read prompts prompt doctor', 'Write what happens to this file'),
        @('-h', '- serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge completions', 'Print help'),
        @('--help', '- serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge completions', 'Print help'),
        @('-V', '-', 'Print version'),
        @('--version', '-', 'Print version'),
        @('--device', 'login', 'Sign in on another device, with a code: the same as `--device-code`'),
        @('--with-token', 'login', 'Keep a token that you have: it is read from stdin, or asked for without being shown'),
        @('--force', 'login', 'Sign in anew, also where there is a sign-in'),
        @('--all', 'logout', 'Forget all sign-ins'),
        @('--json', 'status list show doctor', 'Print JSON'),
        @('--secret-header', 'add', 'Keep the value of this header behind the keychain (repeatable)'),
        @('--from-json', 'add', 'Take what a vendor shows for `mcpServers`, from a file or from stdin'),
        @('--no-check', 'add', 'Save it without asking the server'),
        @('--force', 'add', 'Save it in place of another of that name'),
        @('-y', 'remove', 'Do not ask'),
        @('--yes', 'remove', 'Do not ask'),
        @('--client', 'install uninstall', 'The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode, cline or lm-studio; several with commas between. Without it, a terminal asks'),
        @('--workspace', 'install uninstall import', 'The configuration of the project in this folder, `.` for this one, in place of the user''s own'),
        @('--dry-run', 'install uninstall import', 'Show what would change, and change nothing'),
        @('--name', 'install', 'Name of the entry; without it, that of the saved server, or one from the address'),
        @('--print', 'install', 'Print the entry, to paste it'),
        @('--force', 'install', 'Replace an entry of that name also where it is none of bridge''s'),
        @('--command', 'install import', 'The program to write, in place of the path of this one'),
        @('--force', 'uninstall', 'Take an entry of that name out also where it is none of bridge''s'),
        @('--json', 'tools prompts', 'Print the server''s own JSON, a line for each page of the list'),
        @('--callback-port', 'tools call resources read prompts prompt', 'Port that a sign-in''s browser comes back to; without it, one that is always the same for the server'),
        @('--args', 'call', 'All its arguments as one JSON object (`-`: read from stdin)'),
        @('-o', 'call', 'Where images, audio and other files go: a file, a folder that is there, or `-` for stdout'),
        @('--output', 'call', 'Where images, audio and other files go: a file, a folder that is there, or `-` for stdout'),
        @('--json', 'call read prompt', 'Print the server''s own JSON, on one line'),
        @('--json', 'resources', 'Print the server''s own JSON, a line for each page of a list'),
        @('-o', 'read', 'Where it goes: a file, a folder that is there, or `-` for stdout'),
        @('--output', 'read', 'Where it goes: a file, a folder that is there, or `-` for stdout'),
        @('-o', 'prompt', 'Where images and audio go: a file, a folder that is there, or `-` for stdout'),
        @('--output', 'prompt', 'Where images and audio go: a file, a folder that is there, or `-` for stdout'),
        @('--yes', 'import', 'Rewrite them without asking'),
        @('--undo', 'import', 'Put back what the last import replaced'),
        @('--client', 'import', 'Only this client''s configuration; several with commas between. Without it, all that are found'),
        @('-f', 'logs', 'Go on as more is written, until Ctrl-C'),
        @('--follow', 'logs', 'Go on as more is written, until Ctrl-C'),
        @('--problems', 'logs', 'Only what went wrong, as `--level warning`'),
        @('--level', 'logs', 'Only what is as grave as that'),
        @('--method', 'logs', 'Only messages of this method, such as tools/call, and their answers'),
        @('--since', 'logs', 'Only what happened within this time, such as 10m or 2h'),
        @('-n', 'logs', 'How many lines, the last ones; 0 for all'),
        @('--lines', 'logs', 'How many lines, the last ones; 0 for all'),
        @('--log', 'logs', 'Show this file, which `--log FILE` of a server wrote, messages among it'),
        @('-y', 'purge', 'Do not ask first'),
        @('--yes', 'purge', 'Do not ask first'),
        @('--dry-run', 'purge', 'Show what would be removed, and remove nothing')
    )
    $values = @{
        '--credential-store' = 'auto keychain env plaintext memory'
        '--transport' = 'http-first sse-first http-only sse-only'
        '--protocol' = 'auto legacy modern'
        '--client-protocol' = 'auto modern'
        '--client' = 'claude-desktop claude-code cursor vscode windsurf zed codex gemini-cli opencode cline lm-studio'
        '--level' = 'debug info warning error'
    }
    $valued = @('--allow-tool', '--args', '--auth-server-metadata-url', '--auth-success-url', '--auth-timeout', '--authorize-param', '--body-timeout', '--browser', '--ca-cert', '--callback-path', '--callback-port', '--client', '--client-cert', '--client-id', '--client-key', '--client-metadata-url', '--client-protocol', '--client-secret-file', '--command', '--connect-timeout', '--credential-store', '--deny-tool', '--drain', '--from-json', '--header', '--header-command', '--header-command-arg', '--header-command-timeout', '--header-file', '--headers-timeout', '--host', '--ignore-tool', '--level', '--lines', '--log', '--max-message-size', '--method', '--name', '--output', '--ping-interval', '--profile', '--protocol', '--proxy', '--redirect-uri', '--resource', '--scope', '--secret-header', '--since', '--static-oauth-client-info', '--static-oauth-client-metadata', '--token-endpoint', '--token-param', '--tool-timeout', '--transport', '--trust-issuer', '--workspace', '-n', '-o')

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
        if (($command -eq '-' -or @('help') -contains $command) -and $count -eq 0) {
            $commands.GetEnumerator() | ForEach-Object { , @($_.Key, '', $_.Value) }
        }
        if ($command -eq 'completions' -and $count -eq 0) { 'bash', 'zsh', 'fish', 'powershell' }
        if (($count -eq 0 -and @('-', 'serve', 'login', 'logout', 'status', 'show', 'remove', 'tools', 'call', 'resources', 'read', 'prompts', 'prompt', 'doctor', 'logs') -contains $command) -or @('install', 'uninstall') -contains $command) {
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
