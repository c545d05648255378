// A server of version 2 of the official SDK, for the stateless revision, behind a small HTTP front; prints its URL.
// usage: eras-server.mjs reject|stateless: what it does with clients that shake hands
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { resolve } from '../tools.mjs';

const { McpServer, createMcpHandler, inputRequired } = await import(
    resolve('@modelcontextprotocol/server/dist/index.mjs')
);
const { getRequestListener } = await import(resolve('@hono/node-server/dist/index.mjs'));
const { z } = await import(resolve('zod/index.js'));

const text = value => ({ content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }] });

/** A result once the client has answered `questions`, and these until then. */
const once = (questions, ctx) =>
    ctx.mcpReq.inputResponses ? text(ctx.mcpReq.inputResponses) : inputRequired({ inputRequests: questions });

function make() {
    const server = new McpServer(
        { name: 'eras', version: '1.0.0' },
        { capabilities: { logging: {}, tools: { listChanged: true } }, instructions: 'Of the stateless era.' },
    );
    const tool = (name, inputSchema, run) => server.registerTool(name, { inputSchema: z.object(inputSchema) }, run);
    tool('echo', { text: z.string() }, args => text(args.text));
    tool('fail', {}, () => ({ ...text('it failed'), isError: true }));
    tool('progress', {}, async (_, ctx) => {
        const { progressToken } = ctx.mcpReq._meta ?? {};
        for (const progress of [1, 2]) {
            if (progressToken === undefined) continue;
            await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 2 } });
            // The clients of the SDK drop a report that they read together with the result.
            await setTimeout(100);
        }
        return text('done');
    });
    tool('log', {}, async (_, ctx) => {
        for (const level of ['debug', 'error']) await ctx.mcpReq.log(level, level);
        return text('logged');
    });
    const name = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    const form = inputRequired.elicit({ message: 'Who?', requestedSchema: name });
    const page = inputRequired.elicitUrl({ message: 'Visit', url: 'https://example.com/visit' });
    const message = { role: 'user', content: { type: 'text', text: 'The capital?' } };
    const sampling = inputRequired.createMessage({ messages: [message], maxTokens: 10 });
    tool('form', {}, (_, ctx) => once({ q: form }, ctx));
    tool('url', {}, (_, ctx) => once({ q: page }, ctx));
    tool('several', {}, (_, ctx) => once({ q: form, s: sampling, r: inputRequired.listRoots() }, ctx));
    server.registerPrompt('greet', { argsSchema: z.object({ whom: z.string() }) }, ({ whom }) => ({
        messages: [{ role: 'user', content: { type: 'text', text: `Say hello to ${whom}` } }],
    }));
    server.registerResource('memo', 'memo:///1', {}, uri => ({ contents: [{ uri: uri.href, text: 'a memo' }] }));
    return server;
}

const handler = createMcpHandler(make, { legacy: process.argv[2] });
const listener = getRequestListener(handler.fetch);
const front = createServer((request, response) => {
    if (request.url !== '/changed') return listener(request, response);
    handler.notify.toolsChanged();
    response.end();
});
front.listen(0, '127.0.0.1', () => console.log(`url http://127.0.0.1:${front.address().port}/mcp`));
