// Shorter sessions: a client without capabilities, and one that leaves while a call is still running.
import assert from 'node:assert/strict';
import { assertBridgeLeftCleanly, bridged } from './session.mjs';

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
