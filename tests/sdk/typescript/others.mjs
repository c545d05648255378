// Shorter sessions: a client without capabilities, one that leaves while a call is still running, and one of the
// newer SDK that asks for the newer era.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from '../tools.mjs';
import { assertBridgeLeftCleanly, bridged, observe } from './session.mjs';

const newer = await import(resolve('@modelcontextprotocol/client/dist/index.mjs'));
const { StdioClientTransport } = await import(resolve('@modelcontextprotocol/client/dist/stdio.mjs'));

export async function aClientThatCanDoNothing(steps, { command, directory }) {
    const session = bridged(command, directory, {});
    const step = (name, body) => steps.step(`without capabilities, ${name}`, body);

    if (!(await step('the session opens', () => session.connect()))) return;
    await step('only the tools that need none are listed', async () => {
        const names = (await session.list('tools/list', 'tools')).map(tool => tool.name);
        assert.equal(names.length, 13);
        assert.ok(!names.some(name => /sampling|elicitation|roots/.test(name)), names.join());
    });
    await step('nothing was asked of it', async () => {
        assert.deepEqual(session.received.all(message => message.method && 'id' in message), []);
    });
    await step('the bridge leaves with its client', async () => {
        await session.close();
        session.assertAnsweredOnce();
        assertBridgeLeftCleanly(directory);
    });
}

export async function aClientThatLeavesEarly(steps, { command, directory }) {
    await steps.step('a call in flight does not hold the bridge back when its client leaves', async () => {
        const session = bridged(command, directory);
        await session.connect();
        const call = session.call(
            'trigger-long-running-operation',
            { duration: 30, steps: 300 },
            { onprogress: () => {} },
        );
        const abandoned = assert.rejects(call);
        await session.notified('notifications/progress');
        await session.close();
        await abandoned;
        assertBridgeLeftCleanly(directory);
    });
}

/**
 * On stdio this SDK asks for the newer era in a process of its own, which it ends by SIGTERM, with SIGKILL after a
 * second, before it launches the one that it stays with.
 */
export async function aClientOfTheNewerSdk(steps, { command, directory }) {
    const step = (name, body) => steps.step(`newer SDK: ${name}`, body);
    const client = new newer.Client(
        { name: 'acceptance', version: '2.0.0' },
        { versionNegotiation: { mode: 'auto' } },
    );
    mkdirSync(directory, { recursive: true });

    const opened = await step('it asks for the newer era, is refused and opens a legacy session', async () => {
        await client.connect(new StdioClientTransport({ command: observe, args: [directory, ...command] }));
        assert.equal(client.getServerVersion().name, 'mcp-servers/everything');
    });
    if (!opened) return;
    await step('the session is usable', async () => {
        const { content } = await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 40 } });
        assert.equal(content[0].text, 'The sum of 2 and 40 is 42.');
    });
    await step('both bridges leave when they are told to, silent', async () => {
        await client.close();
        const seen = readdirSync(directory).map(name => `${directory}/${name}`);
        assert.equal(seen.length, 2, 'processes');
        assert.ok(seen.every(process => existsSync(`${process}/exit`)), 'none had to be killed');
        const unasked = seen.filter(process => !existsSync(`${process}/signal`));
        assert.ok(unasked.length > 0, 'the one with the session ended by itself');
        for (const process of unasked) assert.equal(readFileSync(`${process}/exit`, 'utf8').trim(), '0');
        if (process.env.BRIDGE_STDERR === 'any') return;
        for (const process of seen) assert.equal(readFileSync(`${process}/stderr`, 'utf8'), '');
    });
}
