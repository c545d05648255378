# Completes `bridge` in bash. Made by scripts/generate.

# The options of a command.
_bridge_options() {
    case $1 in
        -) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --drain --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --keep-alive --ping-interval --credential-store --profile --transport --protocol --client-protocol --debug --silent --log -h --help -V --version" ;;
        serve) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --drain --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --keep-alive --ping-interval --credential-store --profile --transport --protocol --client-protocol --debug --silent --log -h --help" ;;
        login) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --drain --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --keep-alive --ping-interval --credential-store --profile --transport --protocol --client-protocol --debug --silent --log -h --help --device --with-token --force" ;;
        logout) options="--client-id --resource --disable-resource-parameter --static-oauth-client-info --trust-issuer --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --credential-store --profile --debug --silent --log -h --help --all" ;;
        status) options="--client-id --resource --disable-resource-parameter --static-oauth-client-info --trust-issuer --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --credential-store --profile --debug --silent --log -h --help --json" ;;
        add) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --drain --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --keep-alive --ping-interval --credential-store --profile --transport --protocol --client-protocol --debug --silent --log -h --help --secret-header --from-json --no-check --force" ;;
        list) options="-h --help --json" ;;
        show) options="-h --help --json" ;;
        remove) options="-h --help -y --yes" ;;
        install) options="-h --help --client --workspace --dry-run --name --print --force --command" ;;
        uninstall) options="-h --help --client --workspace --dry-run --force" ;;
        tools) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --credential-store --profile --transport --protocol --debug --silent --log -h --help --json --callback-port" ;;
        call) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --credential-store --profile --transport --protocol --debug --silent --log -h --help --callback-port --args -o --output --json" ;;
        resources) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --credential-store --profile --transport --protocol --debug --silent --log -h --help --callback-port --json" ;;
        read) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --credential-store --profile --transport --protocol --debug --silent --log -h --help --callback-port --json -o --output" ;;
        prompts) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --credential-store --profile --transport --protocol --debug --silent --log -h --help --json --callback-port" ;;
        prompt) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --credential-store --profile --transport --protocol --debug --silent --log -h --help --callback-port --json -o --output" ;;
        import) options="-h --help --workspace --dry-run --command --yes --undo --client" ;;
        doctor) options="--browser --no-browser --device-code --client-credentials --client-id --client-secret-file --scope --resource --disable-resource-parameter --authorize-param --token-param --use-id-token --redirect-uri --host --callback-path --auth-success-url --auth-timeout --static-oauth-client-info --static-oauth-client-metadata --client-metadata-url --auth-server-metadata-url --trust-issuer --token-endpoint --header --header-file --header-command --header-command-arg --header-command-timeout --disable-cookies --deny-tool --ignore-tool --allow-tool --read-only --max-message-size --tool-timeout --drain --allow-http --ca-cert --client-cert --client-key --proxy --enable-proxy --ipv4 --ipv6 --connect-timeout --headers-timeout --body-timeout --keep-alive --ping-interval --credential-store --profile --transport --protocol --client-protocol --debug --silent --log -h --help --json" ;;
        logs) options="-h --help -f --follow --problems --level --method --since -n --lines --log" ;;
        purge) options="--ca-cert --client-cert --client-key --proxy --enable-proxy --connect-timeout --headers-timeout -h --help -y --yes --dry-run" ;;
        completions) options="-h --help" ;;
    esac
}

# What a value of an option can be.
_bridge_values() {
    case $1 in
        --credential-store) words="auto keychain env plaintext memory" ;;
        --transport) words="http-first sse-first http-only sse-only" ;;
        --protocol) words="auto legacy modern" ;;
        --client-protocol) words="auto modern" ;;
        --client) words="claude-desktop claude-code cursor vscode windsurf zed codex gemini-cli opencode cline lm-studio" ;;
        --level) words="debug info warning error" ;;
        --ca-cert|--client-cert|--client-key|--client-secret-file|--command|--from-json|--header-file|--log|--output|-o) files=-f ;;
        --workspace) files=-d ;;
    esac
}

_bridge() {
    local commands="serve login logout status add list show remove install uninstall tools call resources read prompts prompt import doctor logs purge completions help"
    local valued="--allow-tool --args --auth-server-metadata-url --auth-success-url --auth-timeout --authorize-param --body-timeout --browser --ca-cert --callback-path --callback-port --client --client-cert --client-id --client-key --client-metadata-url --client-protocol --client-secret-file --command --connect-timeout --credential-store --deny-tool --drain --from-json --header --header-command --header-command-arg --header-command-timeout --header-file --headers-timeout --host --ignore-tool --level --lines --log --max-message-size --method --name --output --ping-interval --profile --protocol --proxy --redirect-uri --resource --scope --secret-header --since --static-oauth-client-info --static-oauth-client-metadata --token-endpoint --token-param --tool-timeout --transport --trust-issuer --workspace -n -o"
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
            serve:0|login:0|logout:0|status:0|show:0|remove:0|tools:0|call:0|resources:0|read:0|prompts:0|prompt:0|doctor:0|logs:0|install:*|uninstall:*) names=yes ;;
            help:0) words=$commands ;;
            completions:0) words="bash zsh fish powershell" ;;
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
