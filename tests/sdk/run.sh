# shellcheck shell=bash
# What `scripts/sdk` and `scripts/conformance` share: the bridge under test, a place to work in, an end without remains.
# Is sourced, with root set.
: "${root:?}"

tools=$root/target/tools
export PATH=$tools/bin:$PATH

# Sets bridge and bridge_args from the environment. Relative paths are those of the caller.
find_bridge() {
    local newest=
    if [[ -z ${BRIDGE:-} ]]; then
        local target=${CARGO_TARGET_DIR:-$root/target} candidate
        for candidate in "$target/release/bridge" "$target/debug/bridge"; do
            [[ -x $candidate && (-z $newest || $candidate -nt $newest) ]] && newest=$candidate
        done
        [[ -n $newest ]] || { echo "no bridge in $target: run \`cargo build --release\`, or set BRIDGE" >&2; exit 2; }
    fi
    read -ra bridge <<<"${BRIDGE:-$newest}"
    read -ra bridge_args <<<"${BRIDGE_ARGS:-}"
    [[ ${bridge[0]} != */* ]] || bridge[0]=$(realpath "${bridge[0]}")
    export BRIDGE="${bridge[*]}" BRIDGE_ARGS="${bridge_args[*]}"
    echo "bridge under test: $BRIDGE URL $BRIDGE_ARGS"
}

# Sets work, an empty directory that is gone at the end, with a home in it: the user's own is neither read nor written.
make_workspace() {
    work=$(mktemp -d)
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    mkdir "$work/home"
    export HOME=$work/home
    unset XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR
    : >"$work/steps"
}

clean_up() {
    local pid
    for pid in "${server:-}" $(left_over_bridges); do
        [[ -z $pid ]] || kill "$pid" 2>/dev/null || true
    done
    [[ -z ${server:-} ]] || wait "$server" 2>/dev/null || true
    # A browser that was closed a moment ago may still write into its profile.
    for _ in {1..100}; do
        rm -rf "$work" 2>/dev/null && return
        read -rt 0.05 <> <(:) || true
    done
    rm -rf "$work"
}

# Process ids that `observe` wrote down and that are still alive.
left_over_bridges() {
    local file
    while read -r file; do
        kill -0 "$(<"$file")" 2>/dev/null && cat "$file"
    done < <(find "$work" -name pid)
    return 0
}

# start_everything_server streamable-http|sse: sets server and url once the server says that it listens.
start_everything_server() {
    local line
    export TRANSPORT=$1
    : >"$work/server.log"
    EVERYTHING_MARK="set by the acceptance run" \
        node "$root/tests/sdk/everything-server.mjs" "$TRANSPORT" >"$work/server.log" 2>"$work/server.err" &
    server=$!
    while ! line=$(grep -m1 '^url ' "$work/server.log"); do
        kill -0 "$server" 2>/dev/null || { cat "$work/server.log" "$work/server.err" >&2; exit 1; }
        read -rt 0.05 <> <(:) || true
    done
    # shellcheck disable=SC2034  # for the script that sources this
    url=${line#url }
}

stop_everything_server() {
    kill "$server"
    wait "$server" || true
    server=
}

# steps_of COMMAND...: prints its lines, and remembers `ok …` and `FAILED …`. One that breaks is a failed step.
steps_of() {
    local before status=0
    before=$(count FAILED)
    "$@" | tee -a "$work/steps" || status=$?
    if [[ $status != 0 && $(count FAILED) == "$before" ]]; then
        echo "FAILED $(basename "$1") $(basename "${2:-}"): ended with exit code $status" | tee -a "$work/steps"
    fi
}

count() { grep -c "^$1 " "$work/steps" || true; }

# every_session_was_closed DIRECTORY: each client of the bridge (and the one that went straight to the server) had one
# session, and it was ended.
every_session_was_closed() {
    local name="server over $TRANSPORT: each client had one session, and its end was announced" clients opened ended
    clients=$(find "$1" -name pid -printf '%h\n' | xargs -r dirname | sort -u | wc -l)
    [[ ! -d $1/typescript ]] || clients=$((clients + 1))
    opened=$(session_ids 'Session initialized with ID' 'Client Connected')
    ended=$(session_ids 'Received session termination request for session' 'Client Disconnected')
    if [[ $opened == "$ended" && $(wc -l <<<"$opened") == "$clients" ]]; then
        echo "ok $name"
    else
        echo "FAILED $name"
        printf '    %s\n' "clients: $clients" "opened: ${opened//$'\n'/ }" "ended: ${ended//$'\n'/ }"
    fi
}

# session_ids WORDS...: those that the server wrote after one of these.
session_ids() {
    local words
    for words in "$@"; do
        sed -nE "s/^$words:? +//p" "$work/server.log" "$work/server.err"
    done | sort
}

show_stderr_on_failure() {
    local file
    [[ $(count FAILED) != 0 ]] || return 0
    while read -r file; do
        echo "--- stderr of the bridge, ${file#"$work"/}:"
        cat "$file"
    done < <(find "$work" -name stderr -size +0)
}

report() {
    local passed failed
    passed=$(count ok) failed=$(count FAILED)
    echo "$passed passed, $failed failed"
    [[ $failed == 0 && $passed != 0 ]]
}
