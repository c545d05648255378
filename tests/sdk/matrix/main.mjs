// Official clients of both eras with official servers of both eras, through the bridge: each client with each server.
// usage: main.mjs DIRECTORY BRIDGE [ARGUMENTS]; the server's URL comes before the arguments
//
//   MATRIX             `full`: every pair; else those of `QUICK`
//   CLIENTS, SERVERS   names of those to run, with commas between them, of all pairs
//   DIRECT             any value: the clients talk to the servers themselves, to see what is their own
//   JOBS               pairs at a time (default: 2)
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { observe } from '../typescript/session.mjs';
import { Steps } from '../typescript/steps.mjs';
import * as common from './common.mjs';
import { Player, startServer } from './driver.mjs';
import * as everything from './everything.mjs';

const at = path => fileURLToPath(new URL(path, import.meta.url));
const node = (path, ...args) => [process.execPath, at(path), ...args];
const tools = at('../../../target/tools');
const python1 = (path, ...args) => [`${tools}/venv-1/bin/python`, at(path), ...args];
const python2 = (path, ...args) => [`${tools}/venv/bin/python`, at(path), ...args];
/** Built by `scripts/sdk` for the full matrix. */
const rmcp = (...args) => [at('../../../target/sdk-rmcp/debug/bridge-rmcp'), ...args];

/**
 * How each client is launched. `auto`: it speaks the era that the server speaks; `pinned`: the modern one whatever the
 * server says; else the legacy one. `tellsNothing`: it asks no server who it is. `legacyArgs`: what the bridge needs
 * before a legacy server.
 */
const CLIENTS = {
    'typescript-1': { command: node('clients/typescript-1.mjs', 'legacy') },
    'typescript-2': { command: node('clients/typescript-2.mjs', 'auto'), auto: true },
    // It gives up where `server/discover` is not answered, as the bridge answers it first for a legacy server.
    'typescript-2-pinned': {
        command: node('clients/typescript-2.mjs', 'modern'), pinned: true, legacyArgs: ['--client-protocol', 'modern'],
    },
    // It reads nothing more until it has answered what it was asked (`_receive_loop` in its shared/session.py).
    'python-1': { command: python1('clients/python_1.py', 'legacy'), isDeafWhileAsked: true },
    'python-2': { command: python2('clients/python_2.py', 'auto'), auto: true },
    'python-2-pinned': { command: python2('clients/python_2.py', 'modern'), pinned: true, tellsNothing: true },
    'rmcp-legacy': { command: rmcp('client', 'legacy') },
    rmcp: { command: rmcp('client', 'auto'), auto: true },
    // Like that of TypeScript it gives up where `server/discover` is not answered.
    'rmcp-pinned': {
        command: rmcp('client', 'modern'), pinned: true, legacyArgs: ['--client-protocol', 'modern'],
    },
};

/** How each server is launched, and what it offers. */
const SERVERS = {
    everything: { command: node('../everything-server.mjs', 'streamable-http'), offer: everything, legacy: true },
    'typescript-modern': { command: node('servers/typescript.mjs', 'modern'), offer: common },
    'typescript-stateless': { command: node('servers/typescript.mjs', 'stateless'), offer: common },
    'python-modern': { command: python2('servers/python.py', 'modern'), offer: common },
    'python-stateless': { command: python2('servers/python.py', 'stateless'), offer: common },
    'python-sessions': { command: python2('servers/python.py', 'sessions'), offer: common },
    'rmcp-modern': { command: rmcp('server', 'modern'), offer: common },
    'rmcp-stateless': { command: rmcp('server', 'stateless'), offer: common },
    'rmcp-sessions': { command: rmcp('server', 'sessions'), offer: common },
};

/** Each kind of pair whose eras are not both legacy, once. */
const QUICK = [
    ['typescript-1', 'typescript-stateless'],
    ['typescript-1', 'python-modern'],
    ['typescript-2', 'python-modern'],
    ['python-2-pinned', 'everything'],
];

const [directory, program, ...rest] = process.argv.slice(2);
const { MATRIX, DIRECT, JOBS = '2' } = process.env;

/** Plays all steps of one pair, and writes what came of them to `print`. */
async function play(clientName, serverName, url, print) {
    const [client, server] = [CLIENTS[clientName], SERVERS[serverName]];
    const steps = new Steps(`${clientName} with ${serverName}`, print);
    const place = `${directory}/${clientName}-${serverName}`;
    mkdirSync(`${place}/home`, { recursive: true });
    const bridge = [observe, `${place}/processes`, program, url, ...rest, ...(server.legacy ? client.legacyArgs ?? [] : [])];
    const player = new Player([...client.command, ...(DIRECT ? [url] : bridge)], { HOME: `${place}/home` });
    const era = client.pinned || (client.auto && !server.legacy) ? 'modern' : 'legacy';
    let opened;
    if (await steps.step('it opens', async () => (opened = await player.do('open')))) {
        const known = { era, opened, identified: !client.tellsNothing, isDeafWhileAsked: client.isDeafWhileAsked };
        for (const [name, body] of server.offer.steps(player, known)) await steps.step(name, body);
    }
    await steps.step('the bridge leaves with its client, silent', async () => {
        await player.close();
        if (!DIRECT) assertAllLeftSilently(`${place}/processes`);
    });
    if (steps.failed) print(player.stderr.replace(/^/gm, '    client: '));
    return steps.failed;
}

/** Some clients ask for the server's offers in a process of its own, which they end by SIGTERM. */
function assertAllLeftSilently(processes) {
    for (const name of readdirSync(processes)) {
        assert.ok(existsSync(`${processes}/${name}/exit`), 'it did not have to be killed');
        if (process.env.BRIDGE_STDERR === 'any') continue;
        assert.equal(readFileSync(`${processes}/${name}/stderr`, 'utf8'), '');
    }
}

function chosenPairs() {
    const all = Object.keys(SERVERS).flatMap(server => Object.keys(CLIENTS).map(client => [client, server]));
    const { CLIENTS: clients, SERVERS: servers } = process.env;
    if (!clients && !servers) return MATRIX === 'full' ? all : QUICK;
    const among = (names, name) => !names || names.split(',').includes(name);
    return all.filter(([client, server]) => among(clients, client) && among(servers, server));
}

/** All pairs, `JOBS` at a time; what a pair prints comes out in one piece. */
async function playAll(pairs) {
    const servers = new Map();
    for (const name of new Set(pairs.map(([, server]) => server))) servers.set(name, startServer(SERVERS[name].command));
    const waiting = [...pairs];
    let failed = 0;
    const player = async () => {
        for (let pair = waiting.shift(); pair; pair = waiting.shift()) {
            const lines = [];
            const { url } = await servers.get(pair[1]);
            failed += await play(...pair, url, line => lines.push(line));
            console.log(lines.join('\n'));
        }
    };
    await Promise.all(Array.from({ length: Number(JOBS) }, player));
    for (const server of servers.values()) (await server).stop();
    return failed;
}

process.exit((await playAll(chosenPairs())) ? 1 : 0);
