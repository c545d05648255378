
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
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Id of a client that is registered at the authorization server')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET')
            [CompletionResult]::new('--client-secret', '--client-secret', [CompletionResultType]::ParameterName, 'Not taken: every user of the machine can read arguments')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Scopes to ask for, with spaces between; without it, what the server names')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names')
            [CompletionResult]::new('--authorize-param', '--authorize-param', [CompletionResultType]::ParameterName, 'Add a parameter to the authorization request: `prompt=consent` (repeatable)')
            [CompletionResult]::new('--token-param', '--token-param', [CompletionResultType]::ParameterName, 'Add a parameter to token requests (repeatable)')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'Whole redirect URI, when the authorization server knows a certain one')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`')
            [CompletionResult]::new('--callback-path', '--callback-path', [CompletionResultType]::ParameterName, 'Path of the redirect URI; without it, `/oauth/callback`')
            [CompletionResult]::new('--auth-success-url', '--auth-success-url', [CompletionResultType]::ParameterName, 'Where the browser goes after a success, in place of our own page')
            [CompletionResult]::new('--auth-timeout', '--auth-timeout', [CompletionResultType]::ParameterName, 'How long a sign-in may take; without it, 15 minutes')
            [CompletionResult]::new('--static-oauth-client-info', '--static-oauth-client-info', [CompletionResultType]::ParameterName, 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`')
            [CompletionResult]::new('--static-oauth-client-metadata', '--static-oauth-client-metadata', [CompletionResultType]::ParameterName, 'Members of the registration request as JSON, or `@FILE` (RFC 7591)')
            [CompletionResult]::new('--client-metadata-url', '--client-metadata-url', [CompletionResultType]::ParameterName, 'Address of a client ID metadata document of yours')
            [CompletionResult]::new('--auth-server-metadata-url', '--auth-server-metadata-url', [CompletionResultType]::ParameterName, 'Address of the authorization server''s metadata, in place of what the server names')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Token endpoint, in place of looking for it; with `--client-credentials`')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a header to every request to the server (repeatable)')
            [CompletionResult]::new('--header-file', '--header-file', [CompletionResultType]::ParameterName, 'Add the headers in this file, one `Name: value` a line, `#` begins a comment (repeatable)')
            [CompletionResult]::new('--header-command', '--header-command', [CompletionResultType]::ParameterName, 'Add the headers that this program prints')
            [CompletionResult]::new('--header-command-arg', '--header-command-arg', [CompletionResultType]::ParameterName, 'One argument of the program, as it is (repeatable)')
            [CompletionResult]::new('--header-command-timeout', '--header-command-timeout', [CompletionResultType]::ParameterName, 'How long the program may take')
            [CompletionResult]::new('--deny-tool', '--deny-tool', [CompletionResultType]::ParameterName, 'Hide the tools with such a name and refuse calls of them: `delete_*` (repeatable)')
            [CompletionResult]::new('--ignore-tool', '--ignore-tool', [CompletionResultType]::ParameterName, 'Hide the tools with such a name and refuse calls of them: `delete_*` (repeatable)')
            [CompletionResult]::new('--allow-tool', '--allow-tool', [CompletionResultType]::ParameterName, 'Show and call only the tools with such a name (repeatable)')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Answer a tool call with an error after this time (30s, 5m); without it, the client decides')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long answers in flight are waited for when the client is gone')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too, beside the system''s; may be given again')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Certificate to show to a server that asks for one (PEM; may hold the key too)')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Proxy (http, https, socks5 or socks5h, as in `http://USER:PASSWORD@HOST:PORT`), or `none`; without it, what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, else the system''s settings')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take, all in all (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long the beginning of an answer is waited for; without it, no limit')
            [CompletionResult]::new('--body-timeout', '--body-timeout', [CompletionResultType]::ParameterName, 'How long an answer or stream may pause; without it, no limit')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'The time between two of them; turns `--keep-alive` on')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports are tried, in which order')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write down what happens in this file; several processes may share it')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'Eras of the protocol; `legacy` is what there is')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Open no page: the same as `--browser never`')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Sign in on another device, with a code (RFC 8628)')
            [CompletionResult]::new('--client-credentials', '--client-credentials', [CompletionResultType]::ParameterName, 'Sign in as a program, with a client''s own id and secret (RFC 6749, 4.4)')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--use-id-token', '--use-id-token', [CompletionResultType]::ParameterName, 'Send the ID token in place of the access token')
            [CompletionResult]::new('--disable-cookies', '--disable-cookies', [CompletionResultType]::ParameterName, 'Take no cookies (load balancers use them to keep a session on one machine)')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Show and call only tools of which the server says that they only read')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to a server that is not on this machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--keep-alive', '--keep-alive', [CompletionResultType]::ParameterName, 'Send a `ping` every 30 seconds, so that nobody takes the session for forgotten')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens, message by message (never their contents)')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
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
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Id of a client that is registered at the authorization server')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET')
            [CompletionResult]::new('--client-secret', '--client-secret', [CompletionResultType]::ParameterName, 'Not taken: every user of the machine can read arguments')
            [CompletionResult]::new('--scope', '--scope', [CompletionResultType]::ParameterName, 'Scopes to ask for, with spaces between; without it, what the server names')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names')
            [CompletionResult]::new('--authorize-param', '--authorize-param', [CompletionResultType]::ParameterName, 'Add a parameter to the authorization request: `prompt=consent` (repeatable)')
            [CompletionResult]::new('--token-param', '--token-param', [CompletionResultType]::ParameterName, 'Add a parameter to token requests (repeatable)')
            [CompletionResult]::new('--redirect-uri', '--redirect-uri', [CompletionResultType]::ParameterName, 'Whole redirect URI, when the authorization server knows a certain one')
            [CompletionResult]::new('--host', '--host', [CompletionResultType]::ParameterName, 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`')
            [CompletionResult]::new('--callback-path', '--callback-path', [CompletionResultType]::ParameterName, 'Path of the redirect URI; without it, `/oauth/callback`')
            [CompletionResult]::new('--auth-success-url', '--auth-success-url', [CompletionResultType]::ParameterName, 'Where the browser goes after a success, in place of our own page')
            [CompletionResult]::new('--auth-timeout', '--auth-timeout', [CompletionResultType]::ParameterName, 'How long a sign-in may take; without it, 15 minutes')
            [CompletionResult]::new('--static-oauth-client-info', '--static-oauth-client-info', [CompletionResultType]::ParameterName, 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`')
            [CompletionResult]::new('--static-oauth-client-metadata', '--static-oauth-client-metadata', [CompletionResultType]::ParameterName, 'Members of the registration request as JSON, or `@FILE` (RFC 7591)')
            [CompletionResult]::new('--client-metadata-url', '--client-metadata-url', [CompletionResultType]::ParameterName, 'Address of a client ID metadata document of yours')
            [CompletionResult]::new('--auth-server-metadata-url', '--auth-server-metadata-url', [CompletionResultType]::ParameterName, 'Address of the authorization server''s metadata, in place of what the server names')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Token endpoint, in place of looking for it; with `--client-credentials`')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Add a header to every request to the server (repeatable)')
            [CompletionResult]::new('--header-file', '--header-file', [CompletionResultType]::ParameterName, 'Add the headers in this file, one `Name: value` a line, `#` begins a comment (repeatable)')
            [CompletionResult]::new('--header-command', '--header-command', [CompletionResultType]::ParameterName, 'Add the headers that this program prints')
            [CompletionResult]::new('--header-command-arg', '--header-command-arg', [CompletionResultType]::ParameterName, 'One argument of the program, as it is (repeatable)')
            [CompletionResult]::new('--header-command-timeout', '--header-command-timeout', [CompletionResultType]::ParameterName, 'How long the program may take')
            [CompletionResult]::new('--deny-tool', '--deny-tool', [CompletionResultType]::ParameterName, 'Hide the tools with such a name and refuse calls of them: `delete_*` (repeatable)')
            [CompletionResult]::new('--ignore-tool', '--ignore-tool', [CompletionResultType]::ParameterName, 'Hide the tools with such a name and refuse calls of them: `delete_*` (repeatable)')
            [CompletionResult]::new('--allow-tool', '--allow-tool', [CompletionResultType]::ParameterName, 'Show and call only the tools with such a name (repeatable)')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Answer a tool call with an error after this time (30s, 5m); without it, the client decides')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long answers in flight are waited for when the client is gone')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too, beside the system''s; may be given again')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Certificate to show to a server that asks for one (PEM; may hold the key too)')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Proxy (http, https, socks5 or socks5h, as in `http://USER:PASSWORD@HOST:PORT`), or `none`; without it, what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, else the system''s settings')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take, all in all (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long the beginning of an answer is waited for; without it, no limit')
            [CompletionResult]::new('--body-timeout', '--body-timeout', [CompletionResultType]::ParameterName, 'How long an answer or stream may pause; without it, no limit')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'The time between two of them; turns `--keep-alive` on')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports are tried, in which order')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write down what happens in this file; several processes may share it')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'Eras of the protocol; `legacy` is what there is')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Open no page: the same as `--browser never`')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Sign in on another device, with a code (RFC 8628)')
            [CompletionResult]::new('--client-credentials', '--client-credentials', [CompletionResultType]::ParameterName, 'Sign in as a program, with a client''s own id and secret (RFC 6749, 4.4)')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--use-id-token', '--use-id-token', [CompletionResultType]::ParameterName, 'Send the ID token in place of the access token')
            [CompletionResult]::new('--disable-cookies', '--disable-cookies', [CompletionResultType]::ParameterName, 'Take no cookies (load balancers use them to keep a session on one machine)')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Show and call only tools of which the server says that they only read')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to a server that is not on this machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--keep-alive', '--keep-alive', [CompletionResultType]::ParameterName, 'Send a `ping` every 30 seconds, so that nobody takes the session for forgotten')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens, message by message (never their contents)')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
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
