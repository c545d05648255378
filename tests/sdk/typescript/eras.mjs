// Official clients of both eras with an official server of the stateless one, through the bridge.
// usage: eras.mjs reject|stateless DIRECTORY BRIDGE [ARGUMENTS]; the server's URL comes before the arguments
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { resolve, sdk } from '../tools.mjs';
import { assertBridgeLeftCleanly, observe } from './session.mjs';
import { Steps } from './steps.mjs';

const [posture, directory, program, ...rest] = process.argv.slice(2);
const CAPABILITIES = { sampling: {}, elicitation: { form: {}, url: {} }, roots: {} };
const NAME = { name: 'acceptance', version: '1.0.0' };
const ANSWERS = {
    'elicitation/create': ({ params }) =>
        params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } },
    'sampling/createMessage': () => ({
        role: 'assistant',
        model: 'stand-in',
        content: { type: 'text', text: 'Paris' },
    }),
    'roots/list': () => ({ roots: [{ uri: 'file:///home/ada', name: 'home' }] }),
};

async function legacy(command, seen) {
    const { Client } = await sdk('client/index.js');
    const { StdioClientTransport } = await sdk('client/stdio.js');
    const types = await sdk('types.js');
    const client = new Client(NAME, { capabilities: CAPABILITIES });
    client.setRequestHandler(types.ElicitRequestSchema, ANSWERS['elicitation/create']);
    client.setRequestHandler(types.CreateMessageRequestSchema, ANSWERS['sampling/createMessage']);
    client.setRequestHandler(types.ListRootsRequestSchema, ANSWERS['roots/list']);
    client.setNotificationHandler(types.LoggingMessageNotificationSchema, ({ params }) => seen.logs.push(params.level));
    client.setNotificationHandler(types.ToolListChangedNotificationSchema, () => seen.changed());
    await client.connect(new StdioClientTransport(command));
    return { client, wantLogs: level => client.setLoggingLevel(level), listen: () => {}, meta: () => ({}) };
}

async function modern(command, seen) {
    const { Client } = await import(resolve('@modelcontextprotocol/client/dist/index.mjs'));
    const { StdioClientTransport } = await import(resolve('@modelcontextprotocol/client/dist/stdio.mjs'));
    const versionNegotiation = { mode: { pin: '2026-07-28' } };
    const client = new Client(NAME, { capabilities: CAPABILITIES, versionNegotiation });
    for (const [method, answer] of Object.entries(ANSWERS)) client.setRequestHandler(method, answer);
    client.setNotificationHandler('notifications/message', ({ params }) => seen.logs.push(params.level));
    client.setNotificationHandler('notifications/tools/list_changed', () => seen.changed());
    await client.connect(new StdioClientTransport(command));
    let level;
    const meta = () => (level ? { _meta: { 'io.modelcontextprotocol/logLevel': level } } : {});
    const wantLogs = wanted => (level = wanted);
    return { client, wantLogs, meta, listen: () => client.listen({ toolsListChanged: true }) };
}

/** On stdio a modern client asks for the server's offers in a process of its own, which it ends by SIGTERM. */
function assertAllLeftSilently(at) {
    for (const name of readdirSync(at)) {
        assert.ok(existsSync(`${at}/${name}/exit`), 'it did not have to be killed');
        assert.equal(readFileSync(`${at}/${name}/stderr`, 'utf8'), '');
    }
}

async function plays(steps, era, open, url) {
    const at = `${directory}/${era}`;
    mkdirSync(at, { recursive: true });
    const seen = { logs: [], changed: () => {} };
    const command = { command: observe, args: [at, program, url, ...rest] };
    const step = (name, body) => steps.step(`a ${era} client: ${name}`, body);
    let session;
    if (!(await step('it connects', async () => (session = await open(command, seen))))) return;
    const { client, meta } = session;
    const call = async (name, args = {}, options) => {
        const result = await client.callTool({ name, arguments: args, ...meta() }, ...options ?? []);
        return result.content[0].text;
    };
    await step('the server says who it is and what it is for', async () => {
        assert.equal(client.getServerVersion().name, 'eras');
        assert.equal(client.getInstructions(), 'Of the stateless era.');
    });
    await step('tools are listed and called', async () => {
        const { tools } = await client.listTools();
        assert.equal(tools.length, 7);
        assert.equal(await call('echo', { text: 'hi' }), 'hi');
        assert.equal((await client.callTool({ name: 'fail', arguments: {} })).isError, true);
    });
    await step('prompts and resources are read', async () => {
        const { messages } = await client.getPrompt({ name: 'greet', arguments: { whom: 'Ada' } });
        assert.equal(messages[0].content.text, 'Say hello to Ada');
        const { contents } = await client.readResource({ uri: 'memo:///1' });
        assert.equal(contents[0].text, 'a memo');
    });
    await step('it is asked by form, by page, and several things at once', async () => {
        assert.deepEqual(JSON.parse(await call('form')).q.content, { name: 'Ada' });
        assert.equal(JSON.parse(await call('url')).q.action, 'accept');
        const heard = JSON.parse(await call('several'));
        assert.equal(heard.s.content.text, 'Paris');
        assert.equal(heard.r.roots[0].uri, 'file:///home/ada');
    });
    await step('progress is reported', async () => {
        const reports = [];
        const onprogress = ({ progress }) => reports.push(progress);
        await call('progress', {}, era === 'legacy' ? [undefined, { onprogress }] : [{ onprogress }]);
        assert.deepEqual(reports, [1, 2]);
    });
    await step('messages of the level that it wants are told', async () => {
        await session.wantLogs('error');
        await call('log');
        assert.deepEqual(seen.logs, ['error']);
    });
    await step('a change of the tools is told', async () => {
        await session.listen();
        const changed = new Promise(told => (seen.changed = told));
        const again = setInterval(() => fetch(new URL('/changed', url)), 100);
        await changed;
        clearInterval(again);
    });
    await step('what does not exist is an error', async () => {
        await assert.rejects(client.readResource({ uri: 'memo:///2' }));
    });
    await step('the bridge leaves with its client, silent', async () => {
        await client.close();
        if (era === 'legacy') assertBridgeLeftCleanly(at);
        else assertAllLeftSilently(at);
    });
}

const steps = new Steps(`an official server that ${posture === 'reject' ? 'is stateless' : 'serves both eras'}`);
const server = spawn(process.execPath, [fileURLToPath(new URL('eras-server.mjs', import.meta.url)), posture], {
    stdio: ['ignore', 'pipe', 'inherit'],
});
const [line] = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next().then(({ value }) => [value]);
const url = line.replace(/^url /, '');
for (const [era, open] of Object.entries({ legacy, modern })) await plays(steps, era, open, url);
server.kill();
process.exit(steps.failed ? 1 : 0);
