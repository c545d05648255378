// An official client in a session with the everything server, through the bridge or straight to it.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { sdk } from '../tools.mjs';
import { Record } from './steps.mjs';

const { Client } = await sdk('client/index.js');
const { StdioClientTransport } = await sdk('client/stdio.js');
const { SSEClientTransport } = await sdk('client/sse.js');
const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp.js');
const { InMemoryTaskStore } = await sdk('experimental/tasks/stores/in-memory.js');
const types = await sdk('types.js');

/** The program that stands between a client and the bridge. */
export const observe = fileURLToPath(new URL('../observe', import.meta.url));

const EVERY_CAPABILITY = {
    sampling: {},
    elicitation: { form: {}, url: {} },
    roots: { listChanged: true },
    tasks: { list: {}, cancel: {}, requests: { sampling: { createMessage: {} }, elicitation: { create: {} } } },
};

/** A client that can do everything, and what it is told and asked. */
export class Session {
    sent = new Record();
    received = new Record();
    roots = [
        { uri: 'file:///home/ada/engine', name: 'engine' },
        { uri: 'file:///home/ada/notes', name: 'notes' },
    ];
    elicited = () => ({ action: 'cancel' });

    constructor(transport, capabilities) {
        this.transport = transport;
        transport.onmessage = message => this.received.put(message);
        transport.onclose = () => this.received.end();
        const send = transport.send.bind(transport);
        transport.send = (message, options) => {
            this.sent.put(message);
            return send(message, options);
        };
        this.tasks = new InMemoryTaskStore();
        this.client = new Client({ name: 'acceptance', version: '1.0.0' }, { capabilities, taskStore: this.tasks });
        if (capabilities.roots) this.#answerRoots();
        if (capabilities.sampling) this.#answerSampling();
        if (capabilities.elicitation) this.#answerElicitation();
    }

    #answerRoots() {
        this.client.setRequestHandler(types.ListRootsRequestSchema, () => ({ roots: this.roots }));
    }

    #answerSampling() {
        this.client.setRequestHandler(types.CreateMessageRequestSchema, ({ params }, extra) =>
            this.#asTaskIfAsked(params, extra, {
                role: 'assistant',
                model: 'stand-in',
                stopReason: 'endTurn',
                content: { type: 'text', text: `heard: ${params.messages[0].content.text}` },
            }),
        );
    }

    #answerElicitation() {
        this.client.setRequestHandler(types.ElicitRequestSchema, ({ params }, extra) =>
            this.#asTaskIfAsked(params, extra, this.elicited(params)),
        );
    }

    /** A request that carries `task` wants a task now and its result when it asks for it. */
    async #asTaskIfAsked(params, extra, result) {
        if (!params.task) return result;
        const task = await extra.taskStore.createTask({ ttl: params.task.ttl, pollInterval: 50 });
        await extra.taskStore.storeTaskResult(task.taskId, 'completed', result);
        return { task };
    }

    connect() {
        return this.client.connect(this.transport);
    }

    /** The result as it came, with every field that the SDK has no type for. */
    request(method, params = {}) {
        return this.client.request({ method, params }, types.ResultSchema);
    }

    call(name, args = {}, options = undefined) {
        return this.client.callTool({ name, arguments: args }, undefined, options);
    }

    /** All pages of a list. */
    async list(method, key) {
        const items = [];
        let cursor;
        do {
            const page = await this.request(method, cursor ? { cursor } : {});
            items.push(...page[key]);
            cursor = page.nextCursor;
        } while (cursor);
        return items;
    }

    notified(method, fits = () => true) {
        return this.received.first(message => message.method === method && fits(message.params));
    }

    /** Each request of the client has been answered once; one that was cancelled, never. */
    assertAnsweredOnce() {
        const cancellations = this.sent.all(message => message.method === 'notifications/cancelled');
        const cancelled = new Set(cancellations.map(({ params }) => params.requestId));
        for (const { id, method } of this.sent.all(message => message.method && 'id' in message)) {
            const answers = this.received.all(message => !message.method && message.id === id);
            assert.equal(answers.length, cancelled.has(id) ? 0 : 1, `answers to ${method}, id ${id}`);
        }
    }

    /** Nothing that the server asked has been asked twice. */
    assertAskedOnce() {
        const requests = this.received.all(message => message.method && 'id' in message);
        const asked = requests.map(({ id, method }) => `${method}, id ${id}`);
        assert.deepEqual(asked, [...new Set(asked)]);
    }

    async close() {
        this.tasks.cleanup();
        await this.transport.terminateSession?.();
        await this.client.close();
    }
}

/** A client with every capability that talks to the server itself: what the bridge has to equal. */
export function direct(url) {
    const Transport = url.endsWith('/sse') ? SSEClientTransport : StreamableHTTPClientTransport;
    return new Session(new Transport(new URL(url)), EVERY_CAPABILITY);
}

/** A client that launched the bridge. What `observe` writes goes to `directory`. */
export function bridged(command, directory, capabilities = EVERY_CAPABILITY) {
    mkdirSync(directory, { recursive: true });
    return new Session(new StdioClientTransport({ command: observe, args: [directory, ...command] }), capabilities);
}

/**
 * One bridge was launched; it has ended by itself with exit code 0, has printed nothing (but for lines like `told`) and
 * left no process.
 */
export function assertBridgeLeftCleanly(directory, told = []) {
    const processes = readdirSync(directory);
    assert.equal(processes.length, 1, 'processes');
    const read = name => readFileSync(`${directory}/${processes[0]}/${name}`, 'utf8').trim();
    assert.equal(existsSync(`${directory}/${processes[0]}/signal`), false, 'it left too late: the client sent SIGTERM');
    assert.equal(read('exit'), '0', 'exit code');
    assert.throws(() => process.kill(Number(read('pid')), 0), { code: 'ESRCH' }, 'its process is gone');
    if (process.env.BRIDGE_STDERR === 'any') return;
    const lines = read('stderr').split('\n').filter(Boolean);
    assert.equal(lines.length, told.length, `stderr: ${lines.join('\n')}`);
    told.forEach((like, line) => assert.match(lines[line], like, 'stderr'));
}
