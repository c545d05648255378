
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
            [CompletionResult]::new('--client-metadata-url', '--client-metadata-url', [CompletionResultType]::ParameterName, 'Address of your own client ID metadata document')
            [CompletionResult]::new('--auth-server-metadata-url', '--auth-server-metadata-url', [CompletionResultType]::ParameterName, 'Address of the authorization server''s metadata, in place of what the server names')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Token endpoint, in place of looking for it; with `--client-credentials`')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send a header, as `Name=value`')
            [CompletionResult]::new('--header-file', '--header-file', [CompletionResultType]::ParameterName, 'Send the headers in this file')
            [CompletionResult]::new('--header-command', '--header-command', [CompletionResultType]::ParameterName, 'Send the headers that this program prints')
            [CompletionResult]::new('--header-command-arg', '--header-command-arg', [CompletionResultType]::ParameterName, 'One argument of the program, as it is (repeatable)')
            [CompletionResult]::new('--header-command-timeout', '--header-command-timeout', [CompletionResultType]::ParameterName, 'How long the program may take')
            [CompletionResult]::new('--deny-tool', '--deny-tool', [CompletionResultType]::ParameterName, 'Hide these tools')
            [CompletionResult]::new('--ignore-tool', '--ignore-tool', [CompletionResultType]::ParameterName, 'Hide these tools')
            [CompletionResult]::new('--allow-tool', '--allow-tool', [CompletionResultType]::ParameterName, 'Offer only these tools')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Give up a tool call after this time (2m)')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long to wait for answers in flight when the client has left')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Your certificate, if the server wants one')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Use this proxy, as in `http://HOST:PORT`')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long to wait for an answer to begin; without it, no limit')
            [CompletionResult]::new('--body-timeout', '--body-timeout', [CompletionResultType]::ParameterName, 'How long an answer or stream may pause; without it, no limit')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'The time between two pings; turns `--keep-alive` on')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports to try, in which order')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'How to speak to the server: as it turns out, or with or without a handshake')
            [CompletionResult]::new('--client-protocol', '--client-protocol', [CompletionResultType]::ParameterName, 'What a client of the modern protocol is told that could fall back on the legacy one')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write what happens to this file')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Open no page: the same as `--browser never`')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Sign in on another device, with a code (RFC 8628)')
            [CompletionResult]::new('--client-credentials', '--client-credentials', [CompletionResultType]::ParameterName, 'Sign in as a program, with a client''s own id and secret (RFC 6749, 4.4)')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--use-id-token', '--use-id-token', [CompletionResultType]::ParameterName, 'Send the ID token in place of the access token')
            [CompletionResult]::new('--disable-cookies', '--disable-cookies', [CompletionResultType]::ParameterName, 'Ignore cookies')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Offer only tools that change nothing')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to another machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--keep-alive', '--keep-alive', [CompletionResultType]::ParameterName, 'Send a `ping` every 30 seconds, so that servers and proxies keep the session')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve a server on stdin and stdout (as `bridge SERVER` does)')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in to a server now')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Forget a sign-in, and have its tokens revoked')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show who is signed in where')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Write a server into the configuration of a desktop client')
            [CompletionResult]::new('uninstall', 'uninstall', [CompletionResultType]::ParameterValue, 'Take a server out of the configuration of a desktop client')
            [CompletionResult]::new('sign-in-helper', 'sign-in-helper', [CompletionResultType]::ParameterValue, 'What a serving process starts to wait for a person; its settings come by stdin')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bridge;serve' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Id of a client that is registered at the authorization server')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET')
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
            [CompletionResult]::new('--client-metadata-url', '--client-metadata-url', [CompletionResultType]::ParameterName, 'Address of your own client ID metadata document')
            [CompletionResult]::new('--auth-server-metadata-url', '--auth-server-metadata-url', [CompletionResultType]::ParameterName, 'Address of the authorization server''s metadata, in place of what the server names')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Token endpoint, in place of looking for it; with `--client-credentials`')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send a header, as `Name=value`')
            [CompletionResult]::new('--header-file', '--header-file', [CompletionResultType]::ParameterName, 'Send the headers in this file')
            [CompletionResult]::new('--header-command', '--header-command', [CompletionResultType]::ParameterName, 'Send the headers that this program prints')
            [CompletionResult]::new('--header-command-arg', '--header-command-arg', [CompletionResultType]::ParameterName, 'One argument of the program, as it is (repeatable)')
            [CompletionResult]::new('--header-command-timeout', '--header-command-timeout', [CompletionResultType]::ParameterName, 'How long the program may take')
            [CompletionResult]::new('--deny-tool', '--deny-tool', [CompletionResultType]::ParameterName, 'Hide these tools')
            [CompletionResult]::new('--ignore-tool', '--ignore-tool', [CompletionResultType]::ParameterName, 'Hide these tools')
            [CompletionResult]::new('--allow-tool', '--allow-tool', [CompletionResultType]::ParameterName, 'Offer only these tools')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Give up a tool call after this time (2m)')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long to wait for answers in flight when the client has left')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Your certificate, if the server wants one')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Use this proxy, as in `http://HOST:PORT`')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long to wait for an answer to begin; without it, no limit')
            [CompletionResult]::new('--body-timeout', '--body-timeout', [CompletionResultType]::ParameterName, 'How long an answer or stream may pause; without it, no limit')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'The time between two pings; turns `--keep-alive` on')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports to try, in which order')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'How to speak to the server: as it turns out, or with or without a handshake')
            [CompletionResult]::new('--client-protocol', '--client-protocol', [CompletionResultType]::ParameterName, 'What a client of the modern protocol is told that could fall back on the legacy one')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write what happens to this file')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Open no page: the same as `--browser never`')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Sign in on another device, with a code (RFC 8628)')
            [CompletionResult]::new('--client-credentials', '--client-credentials', [CompletionResultType]::ParameterName, 'Sign in as a program, with a client''s own id and secret (RFC 6749, 4.4)')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--use-id-token', '--use-id-token', [CompletionResultType]::ParameterName, 'Send the ID token in place of the access token')
            [CompletionResult]::new('--disable-cookies', '--disable-cookies', [CompletionResultType]::ParameterName, 'Ignore cookies')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Offer only tools that change nothing')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to another machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--keep-alive', '--keep-alive', [CompletionResultType]::ParameterName, 'Send a `ping` every 30 seconds, so that servers and proxies keep the session')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bridge;login' {
            [CompletionResult]::new('--browser', '--browser', [CompletionResultType]::ParameterName, 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)')
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Id of a client that is registered at the authorization server')
            [CompletionResult]::new('--client-secret-file', '--client-secret-file', [CompletionResultType]::ParameterName, 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET')
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
            [CompletionResult]::new('--client-metadata-url', '--client-metadata-url', [CompletionResultType]::ParameterName, 'Address of your own client ID metadata document')
            [CompletionResult]::new('--auth-server-metadata-url', '--auth-server-metadata-url', [CompletionResultType]::ParameterName, 'Address of the authorization server''s metadata, in place of what the server names')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--token-endpoint', '--token-endpoint', [CompletionResultType]::ParameterName, 'Token endpoint, in place of looking for it; with `--client-credentials`')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send a header, as `Name=value`')
            [CompletionResult]::new('--header-file', '--header-file', [CompletionResultType]::ParameterName, 'Send the headers in this file')
            [CompletionResult]::new('--header-command', '--header-command', [CompletionResultType]::ParameterName, 'Send the headers that this program prints')
            [CompletionResult]::new('--header-command-arg', '--header-command-arg', [CompletionResultType]::ParameterName, 'One argument of the program, as it is (repeatable)')
            [CompletionResult]::new('--header-command-timeout', '--header-command-timeout', [CompletionResultType]::ParameterName, 'How long the program may take')
            [CompletionResult]::new('--deny-tool', '--deny-tool', [CompletionResultType]::ParameterName, 'Hide these tools')
            [CompletionResult]::new('--ignore-tool', '--ignore-tool', [CompletionResultType]::ParameterName, 'Hide these tools')
            [CompletionResult]::new('--allow-tool', '--allow-tool', [CompletionResultType]::ParameterName, 'Offer only these tools')
            [CompletionResult]::new('--max-message-size', '--max-message-size', [CompletionResultType]::ParameterName, 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)')
            [CompletionResult]::new('--tool-timeout', '--tool-timeout', [CompletionResultType]::ParameterName, 'Give up a tool call after this time (2m)')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long to wait for answers in flight when the client has left')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Your certificate, if the server wants one')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Use this proxy, as in `http://HOST:PORT`')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long to wait for an answer to begin; without it, no limit')
            [CompletionResult]::new('--body-timeout', '--body-timeout', [CompletionResultType]::ParameterName, 'How long an answer or stream may pause; without it, no limit')
            [CompletionResult]::new('--ping-interval', '--ping-interval', [CompletionResultType]::ParameterName, 'The time between two pings; turns `--keep-alive` on')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--transport', '--transport', [CompletionResultType]::ParameterName, 'Which transports to try, in which order')
            [CompletionResult]::new('--protocol', '--protocol', [CompletionResultType]::ParameterName, 'How to speak to the server: as it turns out, or with or without a handshake')
            [CompletionResult]::new('--client-protocol', '--client-protocol', [CompletionResultType]::ParameterName, 'What a client of the modern protocol is told that could fall back on the legacy one')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write what happens to this file')
            [CompletionResult]::new('--device', '--device', [CompletionResultType]::ParameterName, 'Sign in on another device, with a code: the same as `--device-code`')
            [CompletionResult]::new('--with-token', '--with-token', [CompletionResultType]::ParameterName, 'Keep a token that you have: it is read from stdin, or asked for without being shown')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Sign in anew, also where there is a sign-in')
            [CompletionResult]::new('--no-browser', '--no-browser', [CompletionResultType]::ParameterName, 'Open no page: the same as `--browser never`')
            [CompletionResult]::new('--device-code', '--device-code', [CompletionResultType]::ParameterName, 'Sign in on another device, with a code (RFC 8628)')
            [CompletionResult]::new('--client-credentials', '--client-credentials', [CompletionResultType]::ParameterName, 'Sign in as a program, with a client''s own id and secret (RFC 6749, 4.4)')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--use-id-token', '--use-id-token', [CompletionResultType]::ParameterName, 'Send the ID token in place of the access token')
            [CompletionResult]::new('--disable-cookies', '--disable-cookies', [CompletionResultType]::ParameterName, 'Ignore cookies')
            [CompletionResult]::new('--read-only', '--read-only', [CompletionResultType]::ParameterName, 'Offer only tools that change nothing')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to another machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--keep-alive', '--keep-alive', [CompletionResultType]::ParameterName, 'Send a `ping` every 30 seconds, so that servers and proxies keep the session')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bridge;logout' {
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Id of a client that is registered at the authorization server')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names')
            [CompletionResult]::new('--static-oauth-client-info', '--static-oauth-client-info', [CompletionResultType]::ParameterName, 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Your certificate, if the server wants one')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Use this proxy, as in `http://HOST:PORT`')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long to wait for an answer to begin; without it, no limit')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write what happens to this file')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Forget all sign-ins')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to another machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bridge;status' {
            [CompletionResult]::new('--client-id', '--client-id', [CompletionResultType]::ParameterName, 'Id of a client that is registered at the authorization server')
            [CompletionResult]::new('--resource', '--resource', [CompletionResultType]::ParameterName, 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names')
            [CompletionResult]::new('--static-oauth-client-info', '--static-oauth-client-info', [CompletionResultType]::ParameterName, 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`')
            [CompletionResult]::new('--trust-issuer', '--trust-issuer', [CompletionResultType]::ParameterName, 'Trust this issuer although its metadata names another')
            [CompletionResult]::new('--ca-cert', '--ca-cert', [CompletionResultType]::ParameterName, 'Trust the certificates in this PEM file too')
            [CompletionResult]::new('--client-cert', '--client-cert', [CompletionResultType]::ParameterName, 'Your certificate, if the server wants one')
            [CompletionResult]::new('--client-key', '--client-key', [CompletionResultType]::ParameterName, 'Key of `--client-cert` (PEM, not encrypted)')
            [CompletionResult]::new('--proxy', '--proxy', [CompletionResultType]::ParameterName, 'Use this proxy, as in `http://HOST:PORT`')
            [CompletionResult]::new('--connect-timeout', '--connect-timeout', [CompletionResultType]::ParameterName, 'How long making a connection may take (seconds, or with a unit; 0: no limit)')
            [CompletionResult]::new('--headers-timeout', '--headers-timeout', [CompletionResultType]::ParameterName, 'How long to wait for an answer to begin; without it, no limit')
            [CompletionResult]::new('--credential-store', '--credential-store', [CompletionResultType]::ParameterName, 'Where the tokens of a sign-in are kept')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Which of several accounts at the server this is: `work`, `personal`')
            [CompletionResult]::new('--log', '--log', [CompletionResultType]::ParameterName, 'Write what happens to this file')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON')
            [CompletionResult]::new('--disable-resource-parameter', '--disable-resource-parameter', [CompletionResultType]::ParameterName, 'Send no resource: the same as `--resource none`')
            [CompletionResult]::new('--allow-http', '--allow-http', [CompletionResultType]::ParameterName, 'Allow http:// to another machine')
            [CompletionResult]::new('--enable-proxy', '--enable-proxy', [CompletionResultType]::ParameterName, 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://')
            [CompletionResult]::new('--ipv4', '--ipv4', [CompletionResultType]::ParameterName, 'Connect by IPv4 only')
            [CompletionResult]::new('--ipv6', '--ipv6', [CompletionResultType]::ParameterName, 'Connect by IPv6 only')
            [CompletionResult]::new('--debug', '--debug', [CompletionResultType]::ParameterName, 'Say on stderr what happens')
            [CompletionResult]::new('--silent', '--silent', [CompletionResultType]::ParameterName, 'Say nothing on stderr (unless `--debug` is given too)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'bridge;install' {
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode, cline or lm-studio; several with commas between. Without it, a terminal asks')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The configuration of the project in this folder, `.` for this one, in place of the user''s own')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Name of the entry; without it, that of the saved server, or one from the address')
            [CompletionResult]::new('--command', '--command', [CompletionResultType]::ParameterName, 'The program to write, in place of the path of this one')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would change, and change nothing')
            [CompletionResult]::new('--print', '--print', [CompletionResultType]::ParameterName, 'Print the entry, to paste it')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace an entry of that name also where it is none of bridge''s')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'bridge;uninstall' {
            [CompletionResult]::new('--client', '--client', [CompletionResultType]::ParameterName, 'The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode, cline or lm-studio; several with commas between. Without it, a terminal asks')
            [CompletionResult]::new('--workspace', '--workspace', [CompletionResultType]::ParameterName, 'The configuration of the project in this folder, `.` for this one, in place of the user''s own')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show what would change, and change nothing')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Take an entry of that name out also where it is none of bridge''s')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'bridge;sign-in-helper' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'bridge;completions' {
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'bridge;help' {
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve a server on stdin and stdout (as `bridge SERVER` does)')
            [CompletionResult]::new('login', 'login', [CompletionResultType]::ParameterValue, 'Sign in to a server now')
            [CompletionResult]::new('logout', 'logout', [CompletionResultType]::ParameterValue, 'Forget a sign-in, and have its tokens revoked')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show who is signed in where')
            [CompletionResult]::new('install', 'install', [CompletionResultType]::ParameterValue, 'Write a server into the configuration of a desktop client')
            [CompletionResult]::new('uninstall', 'uninstall', [CompletionResultType]::ParameterValue, 'Take a server out of the configuration of a desktop client')
            [CompletionResult]::new('sign-in-helper', 'sign-in-helper', [CompletionResultType]::ParameterValue, 'What a serving process starts to wait for a person; its settings come by stdin')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a completion script for a shell')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'bridge;help;serve' {
            break
        }
        'bridge;help;login' {
            break
        }
        'bridge;help;logout' {
            break
        }
        'bridge;help;status' {
            break
        }
        'bridge;help;install' {
            break
        }
        'bridge;help;uninstall' {
            break
        }
        'bridge;help;sign-in-helper' {
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
