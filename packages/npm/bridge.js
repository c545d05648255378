#!/usr/bin/env node
// Starts the program of the package for this platform, in the place of this process where Node can do that.
"use strict";

const name = `mcp-bridge-${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "bridge.exe" : "bridge";

/** Where the program is; ends the process where it is missing. */
function program() {
    try {
        return require.resolve(`${name}/${file}`);
    } catch {
        process.stderr.write(
            `error: there is no program for this platform\n` +
            `  because: the package ${name} is not installed\n` +
            `hint: install mcp-bridge again without \`--omit=optional\` and on this machine, ` +
            `or build it with \`cargo install mcp-bridge\`\n`,
        );
        process.exit(1);
    }
}

const path = program();
const args = process.argv.slice(2);
if (process.execve) {
    // It says that it is experimental, which clients would show as an error of the server.
    process.removeAllListeners("warning");
    try {
        process.execve(path, [path, ...args], process.env);
    } catch {
        // Not on this system.
    }
}
const child = require("node:child_process").spawn(path, args, { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
    process.stderr.write(`error: ${path} can't be started\n  because: ${error.message}\n`);
    process.exit(1);
});
child.on("exit", (code, signal) => {
    if (signal) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
    } else {
        process.exit(code);
    }
});
