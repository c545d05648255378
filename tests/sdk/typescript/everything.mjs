// One client with every capability, and all that the everything server offers to it.
import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { sdk } from '../tools.mjs';
import { assertBridgeLeftCleanly, bridged, direct } from './session.mjs';

const { ErrorCode } = await sdk('types.js');

const TOOLS = [
    'echo',
    'get-annotated-message',
    'get-env',
    'get-resource-links',
    'get-resource-reference',
    'get-roots-list',
    'get-structured-content',
    'get-sum',
    'get-tiny-image',
    'gzip-file-as-resource',
    'simulate-research-query',
    'toggle-simulated-logging',
    'toggle-subscriber-updates',
    'trigger-elicitation-request',
    'trigger-elicitation-request-async',
    'trigger-long-running-operation',
    'trigger-sampling-request',
    'trigger-sampling-request-async',
    'trigger-url-elicitation',
];
const PROMPTS = ['args-prompt', 'completable-prompt', 'resource-prompt', 'simple-prompt'];
const DOCUMENT = 'demo://resource/static/document/features.md';

export async function aClientThatCanDoEverything(steps, { url, command, directory }) {
    const step = (name, body) => steps.step(name, body);
    const reference = direct(url);
    await reference.connect();
    const session = bridged(command, directory);

    if (!(await handshake(step, session, reference))) return reference.close();
    await lists(step, session, reference);
    await toolsThatAnswerAtOnce(step, session, reference);
    await callsSideBySide(step, session);
    await progressAndCancellation(step, session);
    await rootsOfTheClient(step, session);
    await samplingByTheClient(step, session);
    await elicitationFromTheUser(step, session);
    await tasks(step, session);
    await resources(step, session, reference);
    await subscriptions(step, session);
    await logging(step, session);
    await promptsAndCompletion(step, session, reference);
    await errors(step, session, reference);
    await reference.close();
    await ending(step, session, directory);
}

/** What the bridge gives equals what the server itself gives. */
async function sameAsDirect(session, reference, method, params) {
    const [bridged, direct] = await Promise.all([session.request(method, params), reference.request(method, params)]);
    assert.deepEqual(bridged, direct);
    return bridged;
}

const texts = result => result.content.filter(block => block.type === 'text').map(block => block.text);
const rootsUpdated = (session, count) =>
    session.notified('notifications/message', ({ data }) => data === `Roots updated: ${count} root(s) received from client`);
const tool = (name, args = {}) => ['tools/call', { name, arguments: args }];

async function handshake(step, session, reference) {
    const opened = await step('the handshake ends with the answer that the server gave', async () => {
        await session.connect();
        const answer = ({ received }) => received.first(message => message.result?.protocolVersion);
        const { result } = await answer(session);
        assert.equal(result.protocolVersion, '2025-11-25');
        assert.equal(result.serverInfo.name, 'mcp-servers/everything');
        assert.deepEqual(result, (await answer(reference)).result);
    });
    if (!opened) return false;
    await step('ping is answered', async () => {
        assert.deepEqual(await session.client.ping(), {});
    });
    await step('the server asks for the roots on its own stream and tells that it has them', () =>
        rootsUpdated(session, 2),
    );
    return true;
}

async function lists(step, session, reference) {
    const listed = [
        ['tools', 'tools/list', TOOLS],
        ['prompts', 'prompts/list', PROMPTS],
        ['resources', 'resources/list', undefined],
        ['resourceTemplates', 'resources/templates/list', ['Dynamic Blob Resource', 'Dynamic Text Resource']],
    ];
    for (const [key, method, names] of listed) {
        await step(`${method} is what the server has, field by field`, async () => {
            const items = await session.list(method, key);
            assert.deepEqual(items, await reference.list(method, key));
            assert.ok(items.length > 0);
            if (names) assert.deepEqual(items.map(item => item.name).sort(), names);
        });
    }
}

async function toolsThatAnswerAtOnce(step, session, reference) {
    await step('echo returns what it was given, whatever the script', async () => {
        const message = 'Grüße, 世界 🦀 \u2028 "quoted" \\ \n tab\t';
        assert.deepEqual(texts(await session.call('echo', { message })), [`Echo: ${message}`]);
    });
    await step('echo returns a megabyte', async () => {
        const message = '0123456789abcdef'.repeat(65_536);
        assert.deepEqual(texts(await session.call('echo', { message })), [`Echo: ${message}`]);
    });
    await step('get-sum adds', async () => {
        assert.deepEqual(texts(await session.call('get-sum', { a: 2.5, b: 40 })), ['The sum of 2.5 and 40 is 42.5.']);
    });
    await step('get-env shows the environment of the server', async () => {
        const environment = JSON.parse(texts(await session.call('get-env'))[0]);
        assert.equal(environment.EVERYTHING_MARK, 'set by the acceptance run');
    });
    for (const [messageType, priority] of [['error', 1], ['success', 0.7], ['debug', 0.3]]) {
        await step(`get-annotated-message keeps the annotations of ${messageType}`, async () => {
            const { content } = await sameAsDirect(
                session, reference, ...tool('get-annotated-message', { messageType, includeImage: true }),
            );
            assert.equal(content[0].annotations.priority, priority);
            assert.deepEqual(content[1].annotations, { priority: 0.5, audience: ['user'] });
        });
    }
    await step('get-structured-content fits the schema that the tool declared', async () => {
        await session.client.listTools();
        const result = await session.call('get-structured-content', { location: 'Chicago' });
        const weather = { temperature: 36, conditions: 'Light rain / drizzle', humidity: 82 };
        assert.deepEqual(result.structuredContent, weather);
        assert.deepEqual(JSON.parse(texts(result)[0]), weather);
    });
    await step('get-tiny-image is a PNG', async () => {
        const { content } = await sameAsDirect(session, reference, ...tool('get-tiny-image'));
        assert.equal(content[1].mimeType, 'image/png');
        assert.equal(Buffer.from(content[1].data, 'base64').toString('latin1', 1, 4), 'PNG');
    });
    await step('get-resource-links links to as many resources as asked for', async () => {
        const { content } = await sameAsDirect(session, reference, ...tool('get-resource-links', { count: 10 }));
        assert.deepEqual(content.slice(1).map(block => block.type), Array(10).fill('resource_link'));
    });
    for (const [resourceType, field] of [['Text', 'text'], ['Blob', 'blob']]) {
        await step(`get-resource-reference embeds a ${resourceType} resource`, async () => {
            const { content } = await session.call('get-resource-reference', { resourceType, resourceId: 7 });
            assert.equal(content[1].resource.uri, `demo://resource/dynamic/${field}/7`);
            assert.ok(content[1].resource[field].length > 20);
        });
    }
}

async function callsSideBySide(step, session) {
    await step('fifty calls at once each get their own answer', async () => {
        const numbers = Array.from({ length: 50 }, (_, a) => a);
        const sums = await Promise.all(numbers.map(a => session.call('get-sum', { a, b: 1000 })));
        assert.deepEqual(sums.map(texts), numbers.map(a => [`The sum of ${a} and 1000 is ${a + 1000}.`]));
    });
    await step('a quick call overtakes a slow one', async () => {
        const order = [];
        await Promise.all([
            session.call('trigger-long-running-operation', { duration: 1, steps: 1 }).then(() => order.push('slow')),
            session.call('echo', { message: 'quick' }).then(() => order.push('quick')),
        ]);
        assert.deepEqual(order, ['quick', 'slow']);
    });
}

async function progressAndCancellation(step, session) {
    await step('a long-running operation tells its progress, step by step and before its result', async () => {
        const result = await session.call(
            'trigger-long-running-operation',
            { duration: 0.5, steps: 5 },
            { onprogress: () => {} },
        );
        assert.deepEqual(texts(result), ['Long running operation completed. Duration: 0.5 seconds, Steps: 5.']);
        // Counted on the wire: this SDK drops a progress notification that it reads in one piece with the result.
        const { id } = session.sent.all(message => message.method === 'tools/call').at(-1);
        const told = session.received.all(message => message.id === id || message.params?.progressToken === id);
        assert.deepEqual(told.map(({ params }) => params?.progress), [1, 2, 3, 4, 5, undefined]);
    });
    await step('a running call is cancelled and the session stays usable', async () => {
        const abort = new AbortController();
        const call = session.call(
            'trigger-long-running-operation',
            { duration: 1, steps: 10 },
            { signal: abort.signal, onprogress: () => abort.abort('changed my mind') },
        );
        await assert.rejects(call, /changed my mind/);
        await session.sent.first(message => message.method === 'notifications/cancelled');
        assert.deepEqual(texts(await session.call('echo', { message: 'still here' })), ['Echo: still here']);
    });
}

async function rootsOfTheClient(step, session) {
    await step('get-roots-list shows the roots of the client', async () => {
        const [text] = texts(await session.call('get-roots-list'));
        assert.match(text, /2 total[^]*engine\n   URI: file:\/\/\/home\/ada\/engine/);
    });
    await step('roots/list_changed makes the server ask again', async () => {
        session.roots.push({ uri: 'file:///home/ada/letters', name: 'letters' });
        await session.client.sendRootsListChanged();
        await rootsUpdated(session, 3);
        assert.match(texts(await session.call('get-roots-list'))[0], /3 total[^]*letters/);
    });
}

async function samplingByTheClient(step, session) {
    await step('a sampling request is answered by the client while the call waits', async () => {
        const [text] = texts(await session.call('trigger-sampling-request', { prompt: 'why?', maxTokens: 9 }));
        const { model, content } = JSON.parse(text.slice(text.indexOf('{')));
        assert.equal(model, 'stand-in');
        assert.equal(content.text, 'heard: Resource trigger-sampling-request context: why?');
        const { params } = await session.received.first(message => message.method === 'sampling/createMessage');
        assert.equal(params.maxTokens, 9);
    });
    await step('a sampling request may become a task of the client', async () => {
        const [text] = texts(await session.call('trigger-sampling-request-async', { prompt: 'later?' }));
        assert.match(text, /COMPLETED[^]*heard: Resource trigger-sampling-request-async context: later\?/);
    });
}

async function elicitationFromTheUser(step, session) {
    const formAnswers = [
        ['accept', { action: 'accept', content: { name: 'Ada', integer: 7 } }, /Name: Ada\n- Favorite Integer: 7/],
        ['decline', { action: 'decline' }, /declined/],
        ['cancel', { action: 'cancel' }, /cancelled/],
    ];
    for (const [answer, result, expected] of formAnswers) {
        await step(`an elicitation form can be answered with ${answer}`, async () => {
            session.elicited = ({ requestedSchema }) => {
                assert.deepEqual(requestedSchema.required, ['name']);
                return result;
            };
            assert.match(texts(await session.call('trigger-elicitation-request')).join('\n'), expected);
        });
    }
    await step('an elicitation may become a task of the client', async () => {
        session.elicited = () => ({ action: 'accept', content: { name: 'Ada', favoriteColor: 'Green' } });
        const text = texts(await session.call('trigger-elicitation-request-async')).join('\n');
        assert.match(text, /COMPLETED[^]*Name: Ada\n- Favorite Color: Green/);
    });
    await step('a URL elicitation is shown and accepted', async () => {
        const args = { url: 'https://example.com/a', elicitationId: 'one' };
        session.elicited = ({ mode, url }) => ({ action: mode === 'url' && url === args.url ? 'accept' : 'decline' });
        assert.match(texts(await session.call('trigger-url-elicitation', args))[0], /completed the URL elicitation flow/);
    });
    await step('the error that asks for a URL elicitation arrives whole, and the retry goes through', async () => {
        session.elicited = () => ({ action: 'accept' });
        const args = { url: 'https://example.com/b', elicitationId: 'two', errorPath: true };
        await assert.rejects(session.call('trigger-url-elicitation', args), error => {
            assert.equal(error.code, ErrorCode.UrlElicitationRequired);
            assert.equal(error.data.elicitations[0].url, 'https://modelcontextprotocol.io');
            return true;
        });
        assert.match(texts(await session.call('trigger-url-elicitation', args))[0], /completed the URL elicitation flow/);
    });
}

async function tasks(step, session) {
    await step('a task asks its question through tasks/result and completes', async () => {
        session.elicited = () => ({ action: 'accept', content: { interpretation: 'snake' } });
        const kinds = new Set();
        let result;
        const stream = session.client.experimental.tasks.callToolStream(
            { name: 'simulate-research-query', arguments: { topic: 'python', ambiguous: true } },
            undefined,
            { task: {} },
        );
        for await (const message of stream) {
            if (message.type === 'error') throw message.error;
            kinds.add(message.type);
            result = message.result;
        }
        assert.deepEqual([...kinds], ['taskCreated', 'taskStatus', 'result']);
        assert.match(texts(result)[0], /Research Report: python \(snake\)/);
    });
    await step('tasks are listed, and a running one can be cancelled', async () => {
        const { task } = await session.request('tools/call', {
            name: 'simulate-research-query', arguments: { topic: 'bridges' }, task: {},
        });
        const { tasks } = await session.client.experimental.tasks.listTasks();
        assert.ok(tasks.some(({ taskId, status }) => taskId === task.taskId && status === 'working'));
        assert.equal((await session.client.experimental.tasks.cancelTask(task.taskId)).status, 'cancelled');
        assert.equal((await session.client.experimental.tasks.getTask(task.taskId)).status, 'cancelled');
    });
}

async function resources(step, session, reference) {
    await step('every listed resource is read, byte for byte', async () => {
        for (const { uri } of await session.list('resources/list', 'resources')) {
            const { contents } = await sameAsDirect(session, reference, 'resources/read', { uri });
            assert.ok(contents[0].text.length > 0, uri);
        }
    });
    await step('resources of a template are read as text and as blob', async () => {
        const read = async uri => (await session.client.readResource({ uri })).contents[0];
        assert.match((await read('demo://resource/dynamic/text/12')).text, /^Resource 12: This is a plaintext resource/);
        const blob = (await read('demo://resource/dynamic/blob/13')).blob;
        assert.match(Buffer.from(blob, 'base64').toString(), /^Resource 13: This is a base64 blob/);
    });
    await step('gzip-file-as-resource embeds what it packed', async () => {
        const { content } = await session.call('gzip-file-as-resource', {
            name: 'embedded.gz', data: 'data:text/plain,packed', outputType: 'resource',
        });
        assert.equal(gunzipSync(Buffer.from(content[0].resource.blob, 'base64')).toString(), 'packed');
    });
    await step('gzip-file-as-resource links to a resource that can be read, and says that the list changed', async () => {
        const later = session.received.fromHere();
        const { content } = await session.call('gzip-file-as-resource', {
            name: 'linked.gz', data: 'data:text/plain,linked', outputType: 'resourceLink',
        });
        await later.first(message => message.method === 'notifications/resources/list_changed');
        const { contents } = await session.client.readResource({ uri: content[0].uri });
        assert.equal(gunzipSync(Buffer.from(contents[0].blob, 'base64')).toString(), 'linked');
    });
}

async function subscriptions(step, session) {
    await step('an update of a subscribed resource is received', async () => {
        await session.client.subscribeResource({ uri: DOCUMENT });
        assert.match(texts(await session.call('toggle-subscriber-updates'))[0], /^Started/);
        await session.notified('notifications/resources/updated', ({ uri }) => uri === DOCUMENT);
    });
    await step('unsubscribing and turning the updates off is confirmed', async () => {
        await session.client.unsubscribeResource({ uri: DOCUMENT });
        assert.match(texts(await session.call('toggle-subscriber-updates'))[0], /^Stopped/);
    });
}

async function logging(step, session) {
    const subscribed = 'demo://resource/dynamic/text/41';
    const unsubscribed = 'demo://resource/dynamic/text/42';
    const logOf = uri => message => message.method === 'notifications/message' && message.params.data.includes(uri);

    await step('logging/setLevel keeps out what is below the level, and lets it in again', async () => {
        await session.client.setLoggingLevel('emergency');
        await session.client.subscribeResource({ uri: subscribed });
        await session.client.setLoggingLevel('debug');
        await session.client.unsubscribeResource({ uri: unsubscribed });
        await session.received.first(logOf(unsubscribed));
        assert.deepEqual(session.received.all(logOf(subscribed)), []);
    });
    await step('a simulated log message is received', async () => {
        assert.match(texts(await session.call('toggle-simulated-logging'))[0], /^Started/);
        await session.notified('notifications/message', ({ data }) => /level.message - SessionId/.test(data));
        assert.match(texts(await session.call('toggle-simulated-logging'))[0], /^Stopped/);
    });
}

async function promptsAndCompletion(step, session, reference) {
    const prompts = [
        ['simple-prompt', undefined, 'This is a simple prompt without arguments.'],
        ['args-prompt', { city: 'Paris' }, "What's weather in Paris?"],
        ['args-prompt', { city: 'Austin', state: 'Texas' }, "What's weather in Austin, Texas?"],
        ['completable-prompt', { department: 'Sales', name: 'Eve' }, 'Please promote Eve to the head of the Sales team.'],
    ];
    for (const [name, args, expected] of prompts) {
        await step(`prompts/get ${name} with ${Object.keys(args ?? {}).join(' and ') || 'no arguments'}`, async () => {
            const { messages } = await sameAsDirect(session, reference, 'prompts/get', { name, arguments: args });
            assert.equal(messages[0].content.text, expected);
        });
    }
    await step('prompts/get resource-prompt embeds a resource', async () => {
        const { messages } = await session.client.getPrompt({
            name: 'resource-prompt', arguments: { resourceType: 'Text', resourceId: '5' },
        });
        assert.equal(messages[1].content.resource.uri, 'demo://resource/dynamic/text/5');
    });

    const prompt = { type: 'ref/prompt', name: 'completable-prompt' };
    const ofEngineering = { arguments: { department: 'Engineering' } };
    const template = { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' };
    const completions = [
        ['a prompt argument', prompt, 'department', 'S', undefined, ['Sales', 'Support']],
        ['an argument that depends on another', prompt, 'name', '', ofEngineering, ['Alice', 'Bob', 'Charlie']],
        ['a template variable', template, 'resourceId', '8', undefined, ['8']],
    ];
    for (const [what, ref, name, value, context, expected] of completions) {
        await step(`completion of ${what}`, async () => {
            const { completion } = await session.client.complete({ ref, argument: { name, value }, context });
            assert.deepEqual(completion.values, expected);
        });
    }
}

async function errors(step, session, reference) {
    const refused = async (client, method, params) => {
        const { code, message, data } = await client.request(method, params).then(
            result => assert.fail(`answered: ${JSON.stringify(result)}`),
            error => error,
        );
        return { code, message, data };
    };
    const requests = [
        ['an unknown method', 'no/such/method', {}],
        ['an unknown resource', 'resources/read', { uri: 'demo://no/such/resource' }],
        ['an unknown prompt', 'prompts/get', { name: 'no-such-prompt' }],
        ['a missing prompt argument', 'prompts/get', { name: 'args-prompt', arguments: {} }],
        ['an unknown task', 'tasks/get', { taskId: 'no-such-task' }],
    ];
    for (const [what, method, params] of requests) {
        await step(`${what} is refused in the words of the server`, async () => {
            assert.deepEqual(await refused(session, method, params), await refused(reference, method, params));
        });
    }
    await step('a tool that fails says so in its result', async () => {
        const result = await sameAsDirect(session, reference, ...tool('get-sum', { a: 'one' }));
        assert.equal(result.isError, true);
    });
}

async function ending(step, session, directory) {
    await step('nothing that the server offers was left out', async () => {
        const used = wanted => {
            const names = session.sent.all(({ method }) => method === wanted).map(({ params }) => params.name);
            return [...new Set(names)].sort();
        };
        assert.deepEqual(used('tools/call'), TOOLS);
        assert.deepEqual(used('prompts/get').filter(name => name !== 'no-such-prompt'), PROMPTS);
    });
    await step('every request was answered once, the cancelled one never', async () => session.assertAnsweredOnce());
    await step('nothing was asked of the client twice', async () => session.assertAskedOnce());
    await step('the bridge leaves with its client: exit code 0, silent, nothing left behind', async () => {
        await session.close();
        assertBridgeLeftCleanly(directory);
    });
}
