// What the README says, typed in a fresh home: from nothing to a client's configuration that works, and from five entries
// of mcp-remote to the same. The clients' entries are then started as a client starts them, by the official SDK.
// usage: main.mjs DIRECTORY BRIDGE
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { resolve, sdk } from '../sdk/tools.mjs';
import { Steps } from '../sdk/typescript/steps.mjs';
import { World } from './world.mjs';

const { Client } = await sdk('client/index.js');
const { StdioClientTransport, getDefaultEnvironment } = await sdk('client/stdio.js');

const { positionals: [directory, program] } = parseArgs({ allowPositionals: true });
const read = path => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const README = read('README.md');
const secrets = { bearer: 'canary-bearer-0123456789', key: 'canary-key-0123456789', client: 'canary-client-0123456789' };
const steps = new Steps('first steps');
const world = await World.start(secrets);

/** A home of its own, in which pages open in a browser that goes wherever it is led. */
class Home {
    constructor(name) {
        this.path = `${directory}/${name}`;
        this.cursor = `${this.path}/.cursor/mcp.json`;
        this.browser = `${this.path}/bin/xdg-open`;
        mkdirSync(`${this.path}/.cursor`, { recursive: true });
        mkdirSync(dirname(this.browser));
        mkdirSync(`${this.path}/tmp`);
        // Our own page is left by its link, as a person does; all else leads on by itself.
        const open = new URL('open.mjs', import.meta.url);
        writeFileSync(this.browser, `#!/bin/sh\nexec '${process.execPath}' '${fileURLToPath(open)}' "$1"\n`);
        chmodSync(this.browser, 0o755);
        // No keychain is needed: what the README says for containers.
        this.env = {
            HOME: this.path,
            PATH: `${dirname(this.browser)}:${process.env.PATH}`,
            BROWSER: this.browser,
            // A program under test may lie in the system's own, from which nothing is installed.
            TMPDIR: `${this.path}/tmp`,
            BRIDGE_STORE_KEY: Buffer.alloc(32, 7).toString('base64'),
        };
    }

    /** Types a command as the README has it, with this server in place of the one there; gives what was said. */
    async type(written, changes = {}, { page = README } = {}) {
        assert.ok(page.includes(written), `the page does not say \`${written}\``);
        let line = written;
        for (const [from, to] of Object.entries(changes)) line = line.replaceAll(from, to);
        const [name, ...words] = line.split(' ');
        return this.run(name === 'bridge' ? program : name, words);
    }

    async run(file, words, { code = 0 } = {}) {
        const child = spawn(file, words, { env: this.env, cwd: this.path, stdio: ['ignore', 'pipe', 'pipe'] });
        let said = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (said += text));
        const ended = await new Promise((done, failed) => child.on('error', failed).on('close', done));
        assert.equal(ended, code, `${file} ${words.join(' ')}: ${said}`);
        return said;
    }

    entries() {
        return JSON.parse(readFileSync(this.cursor, 'utf8')).mcpServers;
    }

    /** Starts an entry as a client does, and lists the tools. */
    async serves(entry) {
        const env = { ...getDefaultEnvironment(), ...this.env, ...entry.env };
        const transport = new StdioClientTransport({ command: entry.command, args: entry.args, env, stderr: 'ignore' });
        const client = new Client({ name: 'first-steps', version: '1.0.0' });
        await client.connect(transport);
        const { tools } = await client.listTools();
        await client.close();
        assert.deepEqual(tools.map(tool => tool.name), ['hello']);
    }

    /** No secret stands in any file. */
    holdsNoSecret() {
        const files = readdirSync(this.path, { recursive: true, withFileTypes: true }).filter(file => file.isFile());
        const known = [...Object.values(secrets), ...world.tokens];
        for (const file of files) {
            const path = `${file.parentPath ?? file.path}/${file.name}`;
            const text = readFileSync(path, 'latin1');
            assert.ok(!text.includes('canary') && !known.some(secret => text.includes(secret)), `a secret is in ${path}`);
        }
    }
}

async function fromNothing() {
    const home = new Home('nothing');
    const at = path => ({ 'https://mcp.example.com/mcp': world.origin + path, 'claude-desktop': 'cursor' });
    await steps.step('an address becomes an entry', async () => {
        await home.type('bridge install https://mcp.example.com/mcp --client claude-desktop', at('/open'));
        assert.equal(Object.keys(home.entries()).length, 1);
        for (const entry of Object.values(home.entries())) await home.serves(entry);
    });
    await steps.step('a server is saved, signed in to and installed by its name', async () => {
        const said = await home.type('bridge add work https://mcp.example.com/mcp', at('/signed'));
        assert.match(said, /it wants a sign-in: `bridge login work`/);
        await home.type('bridge login work');
        await home.run(program, ['install', 'work', '--client', 'cursor']);
        await home.serves(home.entries().work);
        home.holdsNoSecret();
    });
}

/** A port that is still free when somebody wants it: the system gives none of these. */
async function freePort() {
    for (let port = 8000 + (process.pid % 7000); ; port += 1) {
        const server = createServer();
        const isFree = await new Promise(done => {
            server.once('error', () => done(false)).listen(port, '127.0.0.1', () => done(true));
        });
        await new Promise(closed => server.close(closed));
        if (isFree) return port;
    }
}

/** mcp-remote itself signs in, so that it has registered a client and keeps it. */
async function usedMcpRemote(home, args) {
    const proxy = fileURLToPath(resolve('mcp-remote/dist/proxy.js'));
    const child = spawn(process.execPath, [proxy, ...args], { env: home.env, cwd: home.path, stdio: ['pipe', 'pipe', 'pipe'] });
    const answered = new Promise((done, failed) => {
        let said = '';
        child.stderr.on('data', text => (said += text));
        child.stdout.once('data', done);
        child.on('close', () => failed(new Error(`mcp-remote: ${said}`)));
    });
    const hello = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'first-steps', version: '1' } };
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: hello })}\n`);
    await answered;
    child.removeAllListeners('close');
    child.stdin.end();
    await new Promise(closed => child.on('close', closed));
}

async function fromMcpRemote() {
    const home = new Home('mcp-remote');
    const page = read('docs/from-mcp-remote.md');
    const port = await freePort();
    const npx = (...args) => ({ command: 'npx', args: ['-y', 'mcp-remote', ...args] });
    const info = JSON.stringify({ client_id: 'by-hand', client_secret: secrets.client });
    const entries = {
        plain: { command: 'npx', args: ['-y', 'mcp-remote@0.1.29', `${world.origin}/open`] },
        bearer: npx(`${world.origin}/bearer`, '--header', `Authorization: Bearer ${secrets.bearer}`),
        key: { ...npx(`${world.origin}/key`, '--header', 'X-Api-Key:${KEY}'), env: { KEY: secrets.key } },
        signed: npx(`${world.origin}/signed`, String(port)),
        'by-hand': npx(`${world.origin}/by-hand`, '--static-oauth-client-info', info),
    };
    writeFileSync(home.cursor, JSON.stringify({ mcpServers: entries }, undefined, 2));
    await usedMcpRemote(home, [`${world.origin}/signed`, String(port)]);
    const [registrations, theirs] = [world.registrations, world.askedWith.at(-1)];

    await steps.step('every flag that mcp-remote knows stands on the page', async () => {
        const folder = fileURLToPath(resolve('mcp-remote/dist/'));
        const program = readdirSync(folder).map(file => readFileSync(folder + file, 'utf8')).join('\n');
        const flags = new Set(program.match(/"--[a-z][a-z0-9-]+"/g).map(word => word.slice(1, -1)));
        assert.ok(flags.size > 25, [...flags].join(' '));
        // These two every program has.
        for (const flag of ['--help', '--version']) flags.delete(flag);
        for (const flag of flags) assert.ok(page.includes(`| \`${flag}\` |`), `${flag} is missing`);
    });
    await steps.step('five entries of mcp-remote become ours', async () => {
        await home.type('bridge import --dry-run', {}, { page });
        assert.deepEqual(home.entries(), entries);
        const said = await home.type('bridge import --yes', {}, { page });
        assert.match(said, /adopts: the client that mcp-remote registered at 127\.0\.0\.1/);
        assert.doesNotMatch(said, /canary/);
        assert.ok(Object.values(home.entries()).every(entry => entry.command === program), said);
    });
    await steps.step('one sign-in follows, with the client and the port that mcp-remote had', async () => {
        await home.type('bridge login URL', { URL: `${world.origin}/signed` });
        assert.deepEqual([world.registrations, world.askedWith.at(-1)], [registrations, theirs]);
        const derived = (await home.run(program, ['show', 'by-hand'])).match(/port = (\d+)/)[1];
        const redirect = `http://localhost:${derived}/oauth/callback`;
        world.clients.set('by-hand', { client_id: 'by-hand', client_secret: secrets.client, redirect_uris: [redirect] });
        await home.run(program, ['login', 'by-hand']);
        assert.deepEqual([world.registrations, world.askedWith.at(-1)], [registrations, 'by-hand']);
    });
    await steps.step('each entry is started as a client starts it, and works', async () => {
        await Promise.all(Object.values(home.entries()).map(entry => home.serves(entry)));
    });
    await steps.step('no secret is left once the backup and what mcp-remote kept are gone', async () => {
        assert.throws(() => home.holdsNoSecret());
        assert.ok(page.includes('rm -r ~/.mcp-auth'));
        rmSync(`${home.path}/.mcp-auth`, { recursive: true });
        rmSync(`${home.cursor}.before-import`);
        home.holdsNoSecret();
    });
}

await fromNothing();
await fromMcpRemote();
world.end();
