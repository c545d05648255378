// A home, a person with a browser, a provider and a server that belongs to it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Session, observe } from '../sdk/typescript/session.mjs';
import { sdk } from '../sdk/tools.mjs';
import { McpServer } from './mcp-server.mjs';
import { AuthServer } from './provider.mjs';

const { StdioClientTransport, getDefaultEnvironment } = await sdk('client/stdio.js');
const chromium = fileURLToPath(new URL('chromium.mjs', import.meta.url));

/** Of the base64 kind that `BRIDGE_STORE_KEY` takes. */
const KEY = Buffer.alloc(32, 7).toString('base64');

export class World {
    #sessions = 0;
    #turn = 0;

    static async start(directory, command) {
        const world = new World();
        Object.assign(world, { directory, command, home: `${directory}/home` });
        mkdirSync(world.home, { recursive: true });
        world.server = await McpServer.start();
        world.auth = await AuthServer.start(() => [world.server.url]);
        world.server.authServer = world.auth;
        world.person({ does: 'approve' });
        return world;
    }

    /** What the person does from now on. */
    person(person) {
        this.#turn += 1;
        writeFileSync(`${this.directory}/person.json`, JSON.stringify({ ...person, turn: this.#turn }));
    }

    /** What the program of `--browser` is. */
    get browser() {
        return `${process.execPath} ${chromium} ${this.directory} %s`;
    }

    get environment() {
        const chosen = { HOME: this.home, BRIDGE_STORE_KEY: KEY, BRIDGE_LOG: `${this.directory}/bridge.log` };
        return { ...getDefaultEnvironment(), ...chosen };
    }

    /** What every bridge of this home wrote into its log. */
    get log() {
        return readFileSync(this.environment.BRIDGE_LOG, 'utf8');
    }

    /** Addresses that were opened in the browser. */
    get pages() {
        const log = `${this.directory}/pages.log`;
        return existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : [];
    }

    /** The page that the browser ended at, since it was last said what the person does. */
    async lastPage() {
        const file = `${this.directory}/last-${this.#turn}.json`;
        await until('the browser ends', () => existsSync(file));
        const page = JSON.parse(readFileSync(file, 'utf8'));
        assert.equal(page.error, undefined, page.error);
        return page;
    }

    /** An official client that launched the bridge. */
    client(...args) {
        this.#sessions += 1;
        const observed = `${this.directory}/clients/${this.#sessions}`;
        mkdirSync(observed, { recursive: true });
        const transport = new StdioClientTransport({
            command: observe,
            args: [observed, ...this.command, this.server.url, '--browser', this.browser, ...args],
            env: this.environment,
        });
        const session = new Session(transport, {});
        session.directory = observed;
        return session;
    }

    /** `bridge VERB URL ARGS…`, with its output. */
    run(verb, ...args) {
        return this.begin(verb, ...args).ended;
    }

    /** The same; `said(text)` waits for a text on stderr, `write` types. */
    begin(verb, ...args) {
        const [program, ...words] = this.command;
        const child = spawn(program, [...words, verb, this.server.url, ...args], { env: this.environment });
        const output = { out: '', err: '' };
        child.stdout.on('data', data => (output.out += data));
        child.stderr.on('data', data => (output.err += data));
        const ended = new Promise(resolve => child.on('close', code => resolve({ code, ...output })));
        const said = async text => {
            await until(`it says ${text}`, () => (output.err.match(text) ? true : child.exitCode !== null));
            const found = output.err.match(text);
            assert.ok(found, `it says ${text}: ${output.err}`);
            return found;
        };
        return { ended, said, write: text => child.stdin.write(text) };
    }

    async status() {
        const { out } = await this.run('status', '--json');
        return JSON.parse(out)[0];
    }

    close() {
        this.server.close();
        this.auth.close();
    }
}

/** Waits for something that only can be looked at. */
export async function until(what, holds) {
    const end = Date.now() + 20_000;
    for (;;) {
        const found = await holds();
        if (found) return found;
        assert.ok(Date.now() < end, `not within 20 s: ${what}`);
        await pause(50);
    }
}

export const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
