// The commands that use a server from a shell, before official servers of both eras.
// usage: shell.mjs DIRECTORY BRIDGE [ARGUMENTS]; the server's URL comes before the arguments
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startServer } from './matrix/driver.mjs';
import { Steps } from './typescript/steps.mjs';

const at = path => fileURLToPath(new URL(path, import.meta.url));
const [directory, program, ...rest] = process.argv.slice(2);

/** A command of this server, to its end. */
function runner(name, url) {
    const home = `${directory}/${name}`;
    mkdirSync(home, { recursive: true });
    const run = (verb, ...words) =>
        new Promise((resolve, reject) => {
            const env = { HOME: home, PATH: process.env.PATH };
            const child = spawn(program, [verb, url, ...words, ...rest], { cwd: home, env, stdio: ['ignore', 'pipe', 'pipe'] });
            const ended = { stdout: '', stderr: '' };
            for (const stream of ['stdout', 'stderr']) child[stream].setEncoding('utf8').on('data', text => (ended[stream] += text));
            child.on('error', reject).on('close', code => resolve({ code, ...ended }));
        });
    /** What it printed, of a command that succeeded. */
    const printed = async (...words) => {
        const { code, stdout, stderr } = await run(...words);
        assert.equal(code, 0, stderr);
        return stdout;
    };
    return { home, run, printed, json: async (...words) => JSON.parse(await printed(...words, '--json')) };
}

/** What both servers have, under names of their own. */
async function shared(steps, { run, printed, home }, { sum, failing, picture }) {
    await steps.step('tools are listed, and one is shown', async () => {
        assert.match(await printed('tools'), /^echo( {2}|$)/m);
        assert.match(await printed('tools', 'echo'), /Arguments:\n {2}\w+ +a text, required/);
    });
    await steps.step('a call with arguments typed by the schema', sum);
    await steps.step('an argument that is wrong is told, and nothing sent', async () => {
        const { code, stderr } = await run('call', 'echo', 'mesage=x', 'txet=x');
        assert.equal(code, 2);
        assert.match(stderr, /has no argument/);
    });
    await steps.step('a tool that fails', async () => {
        const { code, stdout } = await run('call', ...failing);
        assert.equal(code, 6);
        assert.ok(stdout.length > 1);
    });
    await steps.step('a picture is saved', async () => {
        const { code, stderr } = await run('call', picture, '--output', 'picture.png');
        assert.equal(code, 0, stderr);
        assert.match(stderr, /^saved picture\.png \(image\/png, /m);
        assert.ok(existsSync(`${home}/picture.png`));
        assert.equal(readFileSync(`${home}/picture.png`).subarray(1, 4).toString(), 'PNG');
    });
}

async function everything(steps, url) {
    const shell = runner('everything', url);
    const sum = async () => {
        assert.match(await shell.printed('call', 'get-sum', 'a=2', 'b=40'), /42/);
        assert.equal((await shell.json('call', 'echo', 'message=7')).content[0].text, 'Echo: 7');
    };
    const failing = ['get-resource-reference', '--args', '{"resourceType":"Text","resourceId":-1}'];
    await shared(steps, shell, { sum, failing, picture: 'get-tiny-image' });
    await steps.step('structured content is laid out once', async () => {
        const shown = JSON.parse(await shell.printed('call', 'get-structured-content', 'location=Chicago'));
        assert.equal(typeof shown.temperature, 'number');
    });
    await steps.step('resources are listed and read', async () => {
        const { stdout } = await shell.run('resources');
        const [uri] = stdout.match(/^\S+:\/\/\S+/m);
        assert.ok((await shell.printed('read', uri)).length > 10);
    });
    await steps.step('prompts are listed, and one is got', async () => {
        assert.match(await shell.printed('prompts'), /^args-prompt city=… \[state=…\]/m);
        assert.match(await shell.printed('prompt', 'args-prompt', 'city=Oslo'), /^user:\n.*Oslo/);
    });
}

async function modern(steps, url) {
    const shell = runner('modern', url);
    const sum = async () => {
        assert.equal(await shell.printed('call', 'echo', 'text=7'), '7\n');
        assert.equal(await shell.printed('call', 'region', 'region=Zoë'), 'Zoë\n');
    };
    await shared(steps, shell, { sum, failing: ['fail'], picture: 'picture' });
    await steps.step('structured content is laid out once', async () => {
        assert.equal(await shell.printed('call', 'structured'), '{\n  "sum": 42\n}\n');
        assert.deepEqual(JSON.parse(await shell.printed('call', 'numbers')), [1, 2, 3]);
    });
    await steps.step('resources and prompts', async () => {
        const { stdout } = await shell.run('resources');
        const [uri] = stdout.match(/^memo:\S+/m);
        assert.ok((await shell.printed('read', uri)).length > 1);
        assert.ok((await shell.json('prompts')).prompts.length > 0);
    });
}

const SERVERS = [
    ['server-everything (legacy)', ['everything-server.mjs', 'streamable-http'], everything],
    ['TypeScript SDK 2 (modern)', ['matrix/servers/typescript.mjs', 'modern'], modern],
];

let failed = 0;
for (const [name, [path, ...words], play] of SERVERS) {
    const steps = new Steps(`shell with ${name}`);
    const server = await startServer([process.execPath, at(path), ...words]);
    await play(steps, server.url);
    server.stop();
    failed += steps.failed;
}
process.exit(failed ? 1 : 0);
