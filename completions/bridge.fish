# Completes `bridge` in fish. Made by scripts/generate.

# Whose words these are; - where there is no command.
function __bridge_command
    set -l words (commandline -opc)
    if contains -- "$words[2]" serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge completions help
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
        else if contains -- $word --allow-tool --args --auth-server-metadata-url --auth-success-url --auth-timeout --authorize-param --body-timeout --browser --ca-cert --callback-path --callback-port --client --client-cert --client-id --client-key --client-metadata-url --client-protocol --client-secret-file --command --connect-timeout --credential-store --deny-tool --drain --from-json --header --header-command --header-command-arg --header-command-timeout --header-file --headers-timeout --host --ignore-tool --level --lines --log --max-message-size --method --name --output --ping-interval --profile --protocol --proxy --redirect-uri --resource --scope --secret-header --since --static-oauth-client-info --static-oauth-client-metadata --token-endpoint --token-param --tool-timeout --transport --trust-issuer --workspace -n -o
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
complete -c bridge -n '__bridge_at 0 - serve login logout status show remove tools call resources read prompts prompt doctor logs' -a '(__bridge_servers)' -d 'saved server'
complete -c bridge -n '__bridge_is install uninstall' -a '(__bridge_servers)' -d 'saved server'
complete -c bridge -n '__bridge_at 0 help' -a 'serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge completions help'
complete -c bridge -n '__bridge_at 0 -' -a serve -d 'Serve a server on stdin and stdout (as `bridge SERVER` does)'
complete -c bridge -n '__bridge_at 0 -' -a login -d 'Sign in to a server now'
complete -c bridge -n '__bridge_at 0 -' -a logout -d 'Forget a sign-in, and have its tokens revoked'
complete -c bridge -n '__bridge_at 0 -' -a status -d 'Show who is signed in where'
complete -c bridge -n '__bridge_at 0 -' -a add -d 'Save a server under a name'
complete -c bridge -n '__bridge_at 0 -' -a list -d 'List the saved servers'
complete -c bridge -n '__bridge_at 0 -' -a show -d 'Show what is saved under a name, without secrets'
complete -c bridge -n '__bridge_at 0 -' -a remove -d 'Forget a saved server'
complete -c bridge -n '__bridge_at 0 -' -a install -d 'Write a server into the configuration of a desktop client'
complete -c bridge -n '__bridge_at 0 -' -a uninstall -d 'Take a server out of the configuration of a desktop client'
complete -c bridge -n '__bridge_at 0 -' -a tools -d 'List a server\'s tools, or show one'
complete -c bridge -n '__bridge_at 0 -' -a call -d 'Call a tool'
complete -c bridge -n '__bridge_at 0 -' -a resources -d 'List a server\'s resources'
complete -c bridge -n '__bridge_at 0 -' -a read -d 'Read a resource'
complete -c bridge -n '__bridge_at 0 -' -a prompts -d 'List a server\'s prompts'
complete -c bridge -n '__bridge_at 0 -' -a prompt -d 'Get a prompt'
complete -c bridge -n '__bridge_at 0 -' -a import -d 'Turn the entries of mcp-remote in desktop clients\' configurations into bridge\'s'
complete -c bridge -n '__bridge_at 0 -' -a doctor -d 'Check each step to a server, and say what is wrong and what to do'
complete -c bridge -n '__bridge_at 0 -' -a logs -d 'Show what happened to the connections with servers'
complete -c bridge -n '__bridge_at 0 -' -a purge -d 'Remove all that this program ever stored'
complete -c bridge -n '__bridge_at 0 -' -a completions -d 'Print a completion script for a shell'
complete -c bridge -n '__bridge_at 0 completions' -a 'bash zsh fish powershell'
complete -c bridge -n '__bridge_at 0 -' -a help -d 'Print this message or the help of the given subcommand(s)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l browser -x -d 'How the sign-in page is opened: `auto`, `never`, or a program (`%s` in it is the address)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l no-browser -d 'Open no page: the same as `--browser never`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l device-code -d 'Sign in on another device, with a code (RFC 8628)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l client-credentials -d 'Sign in as a program, with a client\'s own id and secret (RFC 6749, 4.4)'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l client-id -x -d 'Id of a client that is registered at the authorization server'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l client-secret-file -r -F -d 'File with its secret, or with its private key in PEM; or set BRIDGE_CLIENT_SECRET'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l scope -x -d 'Scopes to ask for, with spaces between; without it, what the server names'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l resource -x -d 'Resource to ask a token for (RFC 8707), or `none`; without it, what the server names'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l disable-resource-parameter -d 'Send no resource: the same as `--resource none`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l authorize-param -x -d 'Add a parameter to the authorization request: `prompt=consent` (repeatable)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l token-param -x -d 'Add a parameter to token requests (repeatable)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l use-id-token -d 'Send the ID token in place of the access token'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l redirect-uri -x -d 'Whole redirect URI, when the authorization server knows a certain one'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l host -x -d 'Host in the redirect URI: `127.0.0.1`, `localhost`, `[::1]`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l callback-path -x -d 'Path of the redirect URI; without it, `/oauth/callback`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l auth-success-url -x -d 'Where the browser goes after a success, in place of our own page'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l auth-timeout -x -d 'How long a sign-in may take; without it, 15 minutes'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l static-oauth-client-info -x -d 'Registered client as JSON, or `@FILE`: `client_id`, `client_secret`; may hold `${VAR}`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l static-oauth-client-metadata -x -d 'Members of the registration request as JSON, or `@FILE` (RFC 7591)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l client-metadata-url -x -d 'Address of your own client ID metadata document'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l auth-server-metadata-url -x -d 'Address of the authorization server\'s metadata, in place of what the server names'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l trust-issuer -x -d 'Trust this issuer although its metadata names another'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l token-endpoint -x -d 'Token endpoint, in place of looking for it; with `--client-credentials`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l header -x -d 'Send a header, as `Name=value`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l header-file -r -F -d 'Send the headers in this file'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l header-command -x -d 'Send the headers that this program prints'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l header-command-arg -x -d 'One argument of the program, as it is (repeatable)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l header-command-timeout -x -d 'How long the program may take'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l disable-cookies -d 'Ignore cookies'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l deny-tool -l ignore-tool -x -d 'Hide these tools'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l allow-tool -x -d 'Offer only these tools'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l read-only -d 'Offer only tools that change nothing'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l max-message-size -x -d 'Longest message, in either direction (bytes, or with a unit: 512k, 64M)'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l tool-timeout -x -d 'Give up a tool call after this time (2m)'
complete -c bridge -n '__bridge_is - serve login add doctor' -l drain -x -d 'How long to wait for answers in flight when the client has left'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l allow-http -d 'Allow http:// to another machine'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l ca-cert -r -F -d 'Trust the certificates in this PEM file too'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l client-cert -r -F -d 'Your certificate, if the server wants one'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l client-key -r -F -d 'Key of `--client-cert` (PEM, not encrypted)'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l proxy -x -d 'Use this proxy, as in `http://HOST:PORT`'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l enable-proxy -d 'Use the proxy of the environment, which is the default; HTTP_PROXY then also serves https://'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l ipv4 -d 'Connect by IPv4 only'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l ipv6 -d 'Connect by IPv6 only'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l connect-timeout -x -d 'How long making a connection may take (seconds, or with a unit; 0: no limit)'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor purge' -l headers-timeout -x -d 'How long to wait for an answer to begin; without it, no limit'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l body-timeout -x -d 'How long an answer or stream may pause; without it, no limit'
complete -c bridge -n '__bridge_is - serve login add doctor' -l keep-alive -d 'Send a `ping` every 30 seconds, so that servers and proxies keep the session'
complete -c bridge -n '__bridge_is - serve login add doctor' -l ping-interval -x -d 'The time between two pings; turns `--keep-alive` on'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l credential-store -x -a 'auto keychain env plaintext memory' -d 'Where the tokens of a sign-in are kept'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l profile -x -d 'Which of several accounts at the server this is: `work`, `personal`'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l transport -x -a 'http-first sse-first http-only sse-only' -d 'Which transports to try, in which order'
complete -c bridge -n '__bridge_is - serve login add tools call resources read prompts prompt doctor' -l protocol -x -a 'auto legacy modern' -d 'How to speak to the server: as it turns out, or with or without a handshake'
complete -c bridge -n '__bridge_is - serve login add doctor' -l client-protocol -x -a 'auto modern' -d 'What a client of the modern protocol is told that could fall back on the legacy one'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l debug -d 'Say on stderr what happens'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l silent -d 'Say nothing on stderr (unless `--debug` is given too)'
complete -c bridge -n '__bridge_is - serve login logout status add tools call resources read prompts prompt doctor' -l log -r -F -d 'Write what happens to this file'
complete -c bridge -n '__bridge_is - serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge completions' -s h -l help -d 'Print help'
complete -c bridge -n '__bridge_is -' -s V -l version -d 'Print version'
complete -c bridge -n '__bridge_is login' -l device -d 'Sign in on another device, with a code: the same as `--device-code`'
complete -c bridge -n '__bridge_is login' -l with-token -d 'Keep a token that you have: it is read from stdin, or asked for without being shown'
complete -c bridge -n '__bridge_is login' -l force -d 'Sign in anew, also where there is a sign-in'
complete -c bridge -n '__bridge_is logout' -l all -d 'Forget all sign-ins'
complete -c bridge -n '__bridge_is status list show doctor' -l json -d 'Print JSON'
complete -c bridge -n '__bridge_is add' -l secret-header -x -d 'Keep the value of this header behind the keychain (repeatable)'
complete -c bridge -n '__bridge_is add' -l from-json -r -F -d 'Take what a vendor shows for `mcpServers`, from a file or from stdin'
complete -c bridge -n '__bridge_is add' -l no-check -d 'Save it without asking the server'
complete -c bridge -n '__bridge_is add' -l force -d 'Save it in place of another of that name'
complete -c bridge -n '__bridge_is remove' -s y -l yes -d 'Do not ask'
complete -c bridge -n '__bridge_is install uninstall' -l client -x -a 'claude-desktop claude-code cursor vscode windsurf zed codex gemini-cli opencode cline lm-studio' -d 'The client: claude-desktop, claude-code, cursor, vscode, windsurf, zed, codex, gemini-cli, opencode, cline or lm-studio; several with commas between. Without it, a terminal asks'
complete -c bridge -n '__bridge_is install uninstall import' -l workspace -x -a '(__fish_complete_directories)' -d 'The configuration of the project in this folder, `.` for this one, in place of the user\'s own'
complete -c bridge -n '__bridge_is install uninstall import' -l dry-run -d 'Show what would change, and change nothing'
complete -c bridge -n '__bridge_is install' -l name -x -d 'Name of the entry; without it, that of the saved server, or one from the address'
complete -c bridge -n '__bridge_is install' -l print -d 'Print the entry, to paste it'
complete -c bridge -n '__bridge_is install' -l force -d 'Replace an entry of that name also where it is none of bridge\'s'
complete -c bridge -n '__bridge_is install import' -l command -r -F -d 'The program to write, in place of the path of this one'
complete -c bridge -n '__bridge_is uninstall' -l force -d 'Take an entry of that name out also where it is none of bridge\'s'
complete -c bridge -n '__bridge_is tools prompts' -l json -d 'Print the server\'s own JSON, a line for each page of the list'
complete -c bridge -n '__bridge_is tools call resources read prompts prompt' -l callback-port -x -d 'Port that a sign-in\'s browser comes back to; without it, one that is always the same for the server'
complete -c bridge -n '__bridge_is call' -l args -x -d 'All its arguments as one JSON object (`-`: read from stdin)'
complete -c bridge -n '__bridge_is call' -s o -l output -r -F -d 'Where images, audio and other files go: a file, a folder that is there, or `-` for stdout'
complete -c bridge -n '__bridge_is call read prompt' -l json -d 'Print the server\'s own JSON, on one line'
complete -c bridge -n '__bridge_is resources' -l json -d 'Print the server\'s own JSON, a line for each page of a list'
complete -c bridge -n '__bridge_is read' -s o -l output -r -F -d 'Where it goes: a file, a folder that is there, or `-` for stdout'
complete -c bridge -n '__bridge_is prompt' -s o -l output -r -F -d 'Where images and audio go: a file, a folder that is there, or `-` for stdout'
complete -c bridge -n '__bridge_is import' -l yes -d 'Rewrite them without asking'
complete -c bridge -n '__bridge_is import' -l undo -d 'Put back what the last import replaced'
complete -c bridge -n '__bridge_is import' -l client -x -a 'claude-desktop claude-code cursor vscode windsurf zed codex gemini-cli opencode cline lm-studio' -d 'Only this client\'s configuration; several with commas between. Without it, all that are found'
complete -c bridge -n '__bridge_is logs' -s f -l follow -d 'Go on as more is written, until Ctrl-C'
complete -c bridge -n '__bridge_is logs' -l problems -d 'Only what went wrong, as `--level warning`'
complete -c bridge -n '__bridge_is logs' -l level -x -a 'debug info warning error' -d 'Only what is as grave as that'
complete -c bridge -n '__bridge_is logs' -l method -x -d 'Only messages of this method, such as tools/call, and their answers'
complete -c bridge -n '__bridge_is logs' -l since -x -d 'Only what happened within this time, such as 10m or 2h'
complete -c bridge -n '__bridge_is logs' -s n -l lines -x -d 'How many lines, the last ones; 0 for all'
complete -c bridge -n '__bridge_is logs' -l log -r -F -d 'Show this file, which `--log FILE` of a server wrote, messages among it'
complete -c bridge -n '__bridge_is purge' -s y -l yes -d 'Do not ask first'
complete -c bridge -n '__bridge_is purge' -l dry-run -d 'Show what would be removed, and remove nothing'
