# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_bridge_global_optspecs
    string join \n browser= no-browser device-code client-credentials client-id= client-secret-file= scope= resource= disable-resource-parameter authorize-param= token-param= use-id-token redirect-uri= host= callback-path= auth-success-url= auth-timeout= static-oauth-client-info= static-oauth-client-metadata= client-metadata-url= auth-server-metadata-url= trust-issuer= token-endpoint= header= header-file= header-command= header-command-arg= header-command-timeout= disable-cookies deny-tool= allow-tool= read-only max-message-size= tool-timeout= drain= allow-http ca-cert= client-cert= client-key= proxy= enable-proxy ipv4 ipv6 connect-timeout= headers-timeout= body-timeout= keep-alive ping-interval= credential-store= profile= transport= protocol= client-protocol= debug silent log= h/help V/version
end

function __fish_bridge_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_bridge_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_bridge_using_subcommand
    set -l cmd (__fish_bridge_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c bridge -n "__fish_bridge_needs_command" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_needs_command" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_needs_command" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_needs_command" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_needs_command" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_needs_command" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_needs_command" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_needs_command" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_needs_command" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_needs_command" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_needs_command" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_needs_command" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_needs_command" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_needs_command" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_needs_command" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_needs_command" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l drain -d 'How long to wait for answers in flight when the client has left' -r
complete -c bridge -n "__fish_bridge_needs_command" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_needs_command" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_needs_command" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_needs_command" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_needs_command" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_needs_command" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_needs_command" -l ping-interval -d 'The time between two pings; turns `--keep-alive` on' -r
complete -c bridge -n "__fish_bridge_needs_command" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_needs_command" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_needs_command" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_needs_command" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_needs_command" -l client-protocol -d 'What a client of the modern protocol is told that could fall back on the legacy one' -r -f -a "auto\t'To fall back if the server is a legacy one'
modern\t'To go on: what the server does not speak is translated'"
complete -c bridge -n "__fish_bridge_needs_command" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_needs_command" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_needs_command" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_needs_command" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_needs_command" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_needs_command" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_needs_command" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_needs_command" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_needs_command" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_needs_command" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_needs_command" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_needs_command" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_needs_command" -l keep-alive -d 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'
complete -c bridge -n "__fish_bridge_needs_command" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_needs_command" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_needs_command" -s V -l version -d 'Print version'
complete -c bridge -n "__fish_bridge_needs_command" -a "serve" -d 'Serve a server on stdin and stdout (as `bridge SERVER` does)'
complete -c bridge -n "__fish_bridge_needs_command" -a "login" -d 'Sign in to a server now'
complete -c bridge -n "__fish_bridge_needs_command" -a "logout" -d 'Forget a sign-in, and have its tokens revoked'
complete -c bridge -n "__fish_bridge_needs_command" -a "status" -d 'Show who is signed in where'
complete -c bridge -n "__fish_bridge_needs_command" -a "add" -d 'Save a server under a name'
complete -c bridge -n "__fish_bridge_needs_command" -a "list" -d 'List the saved servers'
complete -c bridge -n "__fish_bridge_needs_command" -a "show" -d 'Show what is saved under a name, without secrets'
complete -c bridge -n "__fish_bridge_needs_command" -a "remove" -d 'Forget a saved server'
complete -c bridge -n "__fish_bridge_needs_command" -a "install" -d 'Write a server into the configuration of a desktop client'
complete -c bridge -n "__fish_bridge_needs_command" -a "uninstall" -d 'Take a server out of the configuration of a desktop client'
complete -c bridge -n "__fish_bridge_needs_command" -a "tools" -d 'List a server\'s tools, or show one'
complete -c bridge -n "__fish_bridge_needs_command" -a "call" -d 'Call a tool'
complete -c bridge -n "__fish_bridge_needs_command" -a "resources" -d 'List a server\'s resources'
complete -c bridge -n "__fish_bridge_needs_command" -a "read" -d 'Read a resource'
complete -c bridge -n "__fish_bridge_needs_command" -a "prompts" -d 'List a server\'s prompts'
complete -c bridge -n "__fish_bridge_needs_command" -a "prompt" -d 'Get a prompt'
complete -c bridge -n "__fish_bridge_needs_command" -a "import" -d 'Turn the entries of mcp-remote in desktop clients\' configurations into bridge\'s'
complete -c bridge -n "__fish_bridge_needs_command" -a "doctor" -d 'Check each step to a server, and say what is wrong and what to do'
complete -c bridge -n "__fish_bridge_needs_command" -a "logs" -d 'Show what happened to the connections with servers'
complete -c bridge -n "__fish_bridge_needs_command" -a "purge" -d 'Remove all that this program ever stored'
complete -c bridge -n "__fish_bridge_needs_command" -a "sign-in-helper" -d 'What a serving process starts to wait for a person; its settings come by stdin'
complete -c bridge -n "__fish_bridge_needs_command" -a "completions" -d 'Print a completion script for a shell'
complete -c bridge -n "__fish_bridge_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l drain -d 'How long to wait for answers in flight when the client has left' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l ping-interval -d 'The time between two pings; turns `--keep-alive` on' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-protocol -d 'What a client of the modern protocol is told that could fall back on the legacy one' -r -f -a "auto\t'To fall back if the server is a legacy one'
modern\t'To go on: what the server does not speak is translated'"
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l keep-alive -d 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand login" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand login" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l drain -d 'How long to wait for answers in flight when the client has left' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand login" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l ping-interval -d 'The time between two pings; turns `--keep-alive` on' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand login" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand login" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand login" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-protocol -d 'What a client of the modern protocol is told that could fall back on the legacy one' -r -f -a "auto\t'To fall back if the server is a legacy one'
modern\t'To go on: what the server does not speak is translated'"
complete -c bridge -n "__fish_bridge_using_subcommand login" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand login" -l device -d 'Sign in on another device, with a code: the same as `--device-code`'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l with-token -d 'Keep a token that you have: it is read from stdin, or asked for without being shown'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l force -d 'Sign in anew, also where there is a sign-in'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l keep-alive -d 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand login" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand login" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l all -d 'Forget all sign-ins'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand logout" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand status" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand status" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand status" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand status" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand status" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand status" -l json -d 'Print JSON'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand status" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l secret-header -d 'Keep the value of this header behind the keychain (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l from-json -d 'Take what a vendor shows for `mcpServers`, from a file or from stdin' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand add" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand add" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l drain -d 'How long to wait for answers in flight when the client has left' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand add" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l ping-interval -d 'The time between two pings; turns `--keep-alive` on' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand add" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand add" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand add" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-protocol -d 'What a client of the modern protocol is told that could fall back on the legacy one' -r -f -a "auto\t'To fall back if the server is a legacy one'
modern\t'To go on: what the server does not speak is translated'"
complete -c bridge -n "__fish_bridge_using_subcommand add" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand add" -l no-check -d 'Save it without asking the server'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l force -d 'Save it in place of another of that name'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l keep-alive -d 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand add" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand list" -l json -d 'Print JSON'
complete -c bridge -n "__fish_bridge_using_subcommand list" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand show" -l json -d 'Print JSON'
complete -c bridge -n "__fish_bridge_using_subcommand show" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand remove" -s y -l yes -d 'Do not ask'
complete -c bridge -n "__fish_bridge_using_subcommand remove" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand install" -l client -d 'The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode, cline or lm-studio; several with commas between. Without it, a terminal asks' -r
complete -c bridge -n "__fish_bridge_using_subcommand install" -l workspace -d 'The configuration of the project in this folder, `.` for this one, in place of the user\'s own' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand install" -l name -d 'Name of the entry; without it, that of the saved server, or one from the address' -r
complete -c bridge -n "__fish_bridge_using_subcommand install" -l command -d 'The program to write, in place of the path of this one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand install" -l dry-run -d 'Show what would change, and change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand install" -l print -d 'Print the entry, to paste it'
complete -c bridge -n "__fish_bridge_using_subcommand install" -l force -d 'Replace an entry of that name also where it is none of bridge\'s'
complete -c bridge -n "__fish_bridge_using_subcommand install" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand uninstall" -l client -d 'The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode, cline or lm-studio; several with commas between. Without it, a terminal asks' -r
complete -c bridge -n "__fish_bridge_using_subcommand uninstall" -l workspace -d 'The configuration of the project in this folder, `.` for this one, in place of the user\'s own' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand uninstall" -l dry-run -d 'Show what would change, and change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand uninstall" -l force -d 'Take an entry of that name out also where it is none of bridge\'s'
complete -c bridge -n "__fish_bridge_using_subcommand uninstall" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l callback-port -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l json -d 'Print the server\'s own JSON, a line for each page of the list'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand tools" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l args -d 'All its arguments as one JSON object (`-`: read from stdin)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -s o -l output -d 'Where images, audio and other files go: a file, or a folder that is there' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l callback-port -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand call" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand call" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand call" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand call" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand call" -l json -d 'Print the server\'s own JSON, on one line'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand call" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand call" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l callback-port -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l json -d 'Print the server\'s own JSON, a line for each page of a list'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand resources" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand read" -s o -l output -d 'Where it goes: a file, or a folder that is there' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l callback-port -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand read" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand read" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand read" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand read" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand read" -l json -d 'Print the server\'s own JSON, on one line'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand read" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand read" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l callback-port -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l json -d 'Print the server\'s own JSON, a line for each page of the list'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand prompts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -s o -l output -d 'Where images and audio go: a file, or a folder that is there' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l callback-port -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l json -d 'Print the server\'s own JSON, on one line'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand prompt" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand import" -l workspace -d 'The configuration of the project in this folder, `.` for this one, in place of the user\'s own' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand import" -l command -d 'The program to write, in place of the path of this one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand import" -l client -d 'Only this client\'s configuration; several with commas between. Without it, all that are found' -r
complete -c bridge -n "__fish_bridge_using_subcommand import" -l dry-run -d 'Show what would change, and change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand import" -l yes -d 'Rewrite them without asking'
complete -c bridge -n "__fish_bridge_using_subcommand import" -l undo -d 'Put back what the last import replaced'
complete -c bridge -n "__fish_bridge_using_subcommand import" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l browser -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-id -d 'Id of a client that is registered at the authorization server' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-secret-file -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l scope -d 'Scopes to ask for, with spaces between; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l resource -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l authorize-param -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l token-param -d 'Add a parameter to token requests (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l redirect-uri -d 'Whole redirect URI, when the authorization server knows a certain one' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l host -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l callback-path -d 'Path of the redirect URI; without it, `/oauth/callback`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l auth-success-url -d 'Where the browser goes after a success, in place of our own page' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l auth-timeout -d 'How long a sign-in may take; without it, 15 minutes' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l static-oauth-client-info -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l static-oauth-client-metadata -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-metadata-url -d 'Address of your own client ID metadata document' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l auth-server-metadata-url -d 'Address of the authorization server\'s metadata, in place of what the server names' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l trust-issuer -d 'Trust this issuer although its metadata names another' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l token-endpoint -d 'Token endpoint, in place of looking for it; with `--client-credentials`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l header -d 'Send a header, as `Name=value`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l header-file -d 'Send the headers in this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l header-command -d 'Send the headers that this program prints' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l header-command-arg -d 'One argument of the program, as it is (repeatable)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l header-command-timeout -d 'How long the program may take' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l deny-tool -l ignore-tool -d 'Hide these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l allow-tool -d 'Offer only these tools' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l max-message-size -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l tool-timeout -d 'Give up a tool call after this time (2m)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l drain -d 'How long to wait for answers in flight when the client has left' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l body-timeout -d 'How long an answer or stream may pause; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l ping-interval -d 'The time between two pings; turns `--keep-alive` on' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l credential-store -d 'Where the tokens of a sign-in are kept' -r -f -a "auto\t'`env` where `BRIDGE_STORE_KEY` is set, else `keychain`'
keychain\t'In sealed files, their key in the system\'s keychain'
env\t'In sealed files, their key in the variable `BRIDGE_STORE_KEY`: 32 random bytes in base64'
plaintext\t'In files that are not sealed: whoever can read them can use the tokens'
memory\t'In this process only: every start needs a new sign-in'"
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l profile -d 'Which of several accounts at the server this is: `work`, `personal`' -r
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l transport -d 'Which transports to try, in which order' -r -f -a "http-first\t'Streamable HTTP, then HTTP+SSE'
sse-first\t'HTTP+SSE, then Streamable HTTP'
http-only\t'Streamable HTTP only'
sse-only\t'HTTP+SSE only'"
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l protocol -d 'How to speak to the server: as it turns out, or with or without a handshake' -r -f -a "auto\t'As the server turns out to speak'
legacy\t'With a handshake (to 2025-11-25)'
modern\t'Without one (2026-07-28)'"
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-protocol -d 'What a client of the modern protocol is told that could fall back on the legacy one' -r -f -a "auto\t'To fall back if the server is a legacy one'
modern\t'To go on: what the server does not speak is translated'"
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l log -d 'Write what happens to this file' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l json -d 'Print JSON'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l keep-alive -d 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l debug -d 'Say on stderr what happens'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n "__fish_bridge_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand logs" -l since -d 'Only what happened within this time, such as 10m or 2h' -r
complete -c bridge -n "__fish_bridge_using_subcommand logs" -s n -l lines -d 'How many lines, the last ones; 0 for all' -r
complete -c bridge -n "__fish_bridge_using_subcommand logs" -s f -l follow -d 'Go on as more is written, until Ctrl-C'
complete -c bridge -n "__fish_bridge_using_subcommand logs" -l problems -d 'Only what went wrong'
complete -c bridge -n "__fish_bridge_using_subcommand logs" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l ca-cert -d 'Trust the certificates in this PEM file too' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l client-cert -d 'Your certificate, if the server wants one' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l client-key -d 'Key of `--client-cert` (PEM, not encrypted)' -r -F
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l proxy -d 'Use this proxy, as in `http://HOST:PORT`' -r
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l connect-timeout -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)' -r
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l headers-timeout -d 'How long to wait for an answer to begin; without it, no limit' -r
complete -c bridge -n "__fish_bridge_using_subcommand purge" -s y -l yes -d 'Do not ask first'
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l dry-run -d 'Show what would be removed, and remove nothing'
complete -c bridge -n "__fish_bridge_using_subcommand purge" -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n "__fish_bridge_using_subcommand purge" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c bridge -n "__fish_bridge_using_subcommand sign-in-helper" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand completions" -s h -l help -d 'Print help'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "serve" -d 'Serve a server on stdin and stdout (as `bridge SERVER` does)'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "login" -d 'Sign in to a server now'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "logout" -d 'Forget a sign-in, and have its tokens revoked'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "status" -d 'Show who is signed in where'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "add" -d 'Save a server under a name'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "list" -d 'List the saved servers'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "show" -d 'Show what is saved under a name, without secrets'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "remove" -d 'Forget a saved server'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "install" -d 'Write a server into the configuration of a desktop client'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "uninstall" -d 'Take a server out of the configuration of a desktop client'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "tools" -d 'List a server\'s tools, or show one'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "call" -d 'Call a tool'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "resources" -d 'List a server\'s resources'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "read" -d 'Read a resource'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "prompts" -d 'List a server\'s prompts'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "prompt" -d 'Get a prompt'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "import" -d 'Turn the entries of mcp-remote in desktop clients\' configurations into bridge\'s'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "doctor" -d 'Check each step to a server, and say what is wrong and what to do'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "logs" -d 'Show what happened to the connections with servers'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "purge" -d 'Remove all that this program ever stored'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "sign-in-helper" -d 'What a serving process starts to wait for a person; its settings come by stdin'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "completions" -d 'Print a completion script for a shell'
complete -c bridge -n "__fish_bridge_using_subcommand help; and not __fish_seen_subcommand_from serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge sign-in-helper completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
