// The common offer, served by version 2 of the official TypeScript SDK; prints its URL.
// usage: typescript.mjs modern|stateless: whether it refuses clients that shake hands, or serves them without a session
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { resolve } from '../../tools.mjs';

const { McpServer, ResourceTemplate, completable, createMcpHandler, inputRequired } = await import(
    resolve('@modelcontextprotocol/server/dist/index.mjs')
);
const { getRequestListener } = await import(resolve('@hono/node-server/dist/index.mjs'));
const { z } = await import(resolve('zod/index.js'));

/** Of each client: how many of its calls wait now, and how many it has cancelled. */
const waiting = new Map();
const NAME = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
const QUESTIONS = {
    form: inputRequired.elicit({ message: 'Who?', requestedSchema: NAME }),
    page: inputRequired.elicitUrl({ message: 'Visit', url: 'https://example.com/visit' }),
    sampling: inputRequired.createMessage({
        messages: [{ role: 'user', content: { type: 'text', text: 'The capital?' } }],
        maxTokens: 10,
    }),
    roots: inputRequired.listRoots(),
};
const PEOPLE = ['Ada', 'Alan', 'Grace'];
const startingWith = value => PEOPLE.filter(name => name.startsWith(value));
const memo = (id, body) => ({ uri: `memo:///${id}`, name: `memo ${id}`, mimeType: 'text/plain', ...body });
const text = value => ({ content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }] });

/** Of each client: a gate that lets one report of progress pass at a time. */
const gates = new Map();
function gate(who) {
    if (!gates.has(who)) {
        let open;
        const passed = new Promise(resolve => (open = resolve));
        gates.set(who, { passed, open: () => gates.delete(who) && open() });
    }
    return gates.get(who);
}

/** Reports progress, and waits until the client has heard of it: one read together with the result may be dropped. */
async function report({ _meta, notify }, who, progress) {
    const { passed } = gate(who);
    await notify({ method: 'notifications/progress', params: { progressToken: _meta?.progressToken, progress, total: 2 } });
    await passed;
}

function tools(tool, era) {
    tool('echo', { text: z.string() }, args => text(args.text));
    tool('region', { region: z.string().meta({ 'x-mcp-header': 'Region' }) }, args => text(args.region));
    tool('structured', {}, () => ({ ...text('{"sum":42}'), structuredContent: { sum: 42 } }), z.object({ sum: z.number() }));
    // A legacy client knows no structure but objects; its own servers leave that to the text.
    if (era === 'modern') tool('numbers', {}, () => ({ content: [], structuredContent: [1, 2, 3] }), z.array(z.number()));
    else tool('numbers', {}, () => text('[1,2,3]'));
    tool('picture', {}, () => ({ content: [{ type: 'image', data: 'iVBORw==', mimeType: 'image/png' }] }));
    tool('fail', {}, () => ({ ...text('it failed'), isError: true }));
    tool('progress', { who: z.string() }, async ({ who }, { mcpReq }) => {
        for (const progress of [1, 2]) await report(mcpReq, who, progress);
        return text('done');
    });
    tool('go', { who: z.string() }, ({ who }) => {
        gate(who).open();
        return text('going');
    });
    tool('log', {}, async (_, { mcpReq }) => {
        for (const level of ['debug', 'error']) await mcpReq.log(level, level);
        return text('logged');
    });
    tool('wait', { who: z.string() }, async ({ who }, { mcpReq: { signal } }) => {
        const calls = waiting.get(who) ?? { now: 0, cancelled: 0 };
        waiting.set(who, calls);
        calls.now += 1;
        await setTimeout(60_000, undefined, { signal }).catch(() => (calls.cancelled += 1));
        calls.now -= 1;
        return text('waited');
    });
    tool('waits', { who: z.string() }, ({ who }) => text(waiting.get(who) ?? { now: 0, cancelled: 0 }));
}

function questions(tool) {
    const asked = (name, kinds) =>
        tool(name, {}, (_, { mcpReq: { inputResponses } }) => {
            const inputRequests = Object.fromEntries(kinds.map(kind => [kind, QUESTIONS[kind]]));
            return inputResponses ? text(inputResponses) : inputRequired({ inputRequests });
        });
    for (const kind of Object.keys(QUESTIONS)) asked(kind, [kind]);
    asked('several', ['form', 'sampling', 'roots']);
    tool('reports', { who: z.string() }, async ({ who }, { mcpReq }) => {
        await report(mcpReq, who, mcpReq.inputResponses ? 2 : 1);
        return mcpReq.inputResponses ? text('done') : inputRequired({ inputRequests: { form: QUESTIONS.form } });
    });
    tool('rounds', {}, (_, { mcpReq }) => {
        const round = Number(mcpReq.requestState() ?? 0) + 1;
        if (round > 3) return text(`${round - 1} rounds`);
        return inputRequired({ inputRequests: { form: QUESTIONS.form }, requestState: String(round) });
    });
}

function changes(tool) {
    const tell = {
        tools: () => handler.notify.toolsChanged(),
        prompts: () => handler.notify.promptsChanged(),
        resources: () => handler.notify.resourcesChanged(),
        memo: () => handler.notify.resourceUpdated('memo:///1'),
    };
    tool('change', { what: z.string() }, ({ what }) => {
        tell[what]();
        return text(`${what} changed`);
    });
}

function make({ era }) {
    const listChanged = { listChanged: true };
    const server = new McpServer(
        { name: 'common', version: '1.0.0' },
        {
            capabilities: { logging: {}, tools: listChanged, prompts: listChanged, completions: {},
                resources: { ...listChanged, subscribe: true } },
            instructions: 'What every server offers.',
        },
    );
    const tool = (name, inputSchema, run, outputSchema) =>
        server.registerTool(
            name,
            { inputSchema: z.object(inputSchema), ...(outputSchema && { outputSchema }) },
            run,
        );
    for (const part of [tools, questions, changes]) part(tool, era);
    const whom = completable(z.string(), startingWith);
    server.registerPrompt('greet', { argsSchema: z.object({ whom }) }, args => ({
        messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${args.whom}` } }],
    }));
    server.registerPrompt('asking', {}, ({ mcpReq: { inputResponses } }) => inputResponses
        ? { messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${inputResponses.form.content.name}` } }] }
        : inputRequired({ inputRequests: { form: QUESTIONS.form } }));
    server.registerResource('asking', 'asking:///', {}, (uri, { mcpReq: { inputResponses } }) => inputResponses
        ? { contents: [{ uri: uri.href, text: `a note of ${inputResponses.form.content.name}` }] }
        : inputRequired({ inputRequests: { form: QUESTIONS.form } }));
    server.registerResource('memo 1', 'memo:///1', {}, uri => ({ contents: [{ uri: uri.href, text: 'a memo' }] }));
    server.registerResource('memo 2', 'memo:///2', {}, uri => ({ contents: [{ uri: uri.href, blob: 'AAEC' }] }));
    const notes = new ResourceTemplate('note:///{whose}', { list: undefined, complete: { whose: startingWith } });
    server.registerResource('note', notes, {}, (uri, { whose }) => ({
        contents: [{ uri: uri.href, text: `a note of ${whose}` }],
    }));
    // In two pages, which the registry can't do.
    server.server.setRequestHandler('resources/list', ({ params }) =>
        params?.cursor === 'second' ? { resources: [memo(2)] } : { resources: [memo(1)], nextCursor: 'second' },
    );
    return server;
}

const handler = createMcpHandler(make, { legacy: process.argv[2] === 'modern' ? 'reject' : 'stateless' });
const front = createServer(getRequestListener(handler.fetch));
front.listen(0, '127.0.0.1', () => console.log(`url http://127.0.0.1:${front.address().port}/mcp`));
