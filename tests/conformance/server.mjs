// The server that the suite's server scenarios are run against, made with the official SDK of an era; prints its URL.
// usage: server.mjs legacy|modern
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { resolve, sdk } from '../sdk/tools.mjs';
import { isLocal, listen } from './http.mjs';
import { CAPABILITIES, handlers } from './offers.mjs';

const NAME = { name: 'reference', version: '1.0.0' };

/** Sessions of version 1 of the SDK, whose streams can be resumed. */
async function legacy() {
    const { Server } = await sdk('server/index.js');
    const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp.js');
    const { InMemoryEventStore } = await sdk('examples/shared/inMemoryEventStore.js');
    const types = await sdk('types.js');
    const refuse = (code, message, data) => { throw new types.McpError(code, message, data); };
    const schemas = Object.values(types).filter(each => each?.shape?.method?.value && each.shape.params);
    const schema = method => schemas.find(each => each.shape.method.value === method);
    const results = {
        'elicitation/create': types.ElicitResultSchema,
        'sampling/createMessage': types.CreateMessageResultSchema,
        'roots/list': types.ListRootsResultSchema,
    };
    const sessions = new Map();

    const via = (server, extra, transport) => ({
        tell: (method, params) => extra.sendNotification({ method, params }),
        log: (level, data) => extra.sendNotification({ method: 'notifications/message', params: { level, data } }),
        again: (questions, state) => ({ questions, state }),
        mint: text => text,
        token: extra._meta?.progressToken,
        capabilities: server.getClientCapabilities(),
        changes: kind => server.notification({ method: `notifications/${kind}/list_changed` }),
        closes: () => transport.closeSSEStream(extra.requestId),
    });

    /** The result, once the client has answered all that is asked. */
    async function served(run, params, via, extra) {
        for (;;) {
            const result = await run(params, via);
            if (!result.questions) return result;
            const answers = Object.entries(result.questions).map(async ([key, [method, params]]) =>
                [key, await extra.sendRequest({ method, params }, results[method])]);
            via.answers = Object.fromEntries(await Promise.all(answers));
            via.state = result.state;
        }
    }

    function make(transport) {
        const server = new Server(NAME, { capabilities: CAPABILITIES });
        const all = { ...handlers(refuse), 'resources/subscribe': () => ({}), 'resources/unsubscribe': () => ({}) };
        for (const [method, run] of Object.entries(all)) {
            server.setRequestHandler(schema(method), ({ params }, extra) =>
                served(run, params ?? {}, via(server, extra, transport), extra));
        }
        return server;
    }

    return async (request, response) => {
        const id = request.headers['mcp-session-id'];
        let transport = sessions.get(id);
        if (id !== undefined && !transport) return response.writeHead(404).end();
        if (!transport) {
            transport = new StreamableHTTPServerTransport({
                sessionIdGenerator: randomUUID,
                eventStore: new InMemoryEventStore(),
                retryInterval: 500,
                onsessioninitialized: id => sessions.set(id, transport),
                onsessionclosed: id => sessions.delete(id),
            });
            await make(transport).connect(transport);
        }
        await transport.handleRequest(request, response);
    };
}

/** Version 2 of the SDK, and nothing of the revisions before. */
async function modern() {
    const sdk = await import(resolve('@modelcontextprotocol/server/dist/index.mjs'));
    const { getRequestListener } = await import(resolve('@hono/node-server/dist/index.mjs'));
    const refuse = (code, message, data) => { throw new sdk.ProtocolError(code, message, data); };
    const key = randomBytes(32);
    const sealed = text => createHmac('sha256', key).update(text).digest('hex');
    const verify = state => {
        const [text, seal] = state.split('.');
        return seal === sealed(text) ? text : refuse(-32602, 'The state is not whole');
    };

    const again = (questions, requestState) => {
        const asked = Object.entries(questions).map(([key, [method, params]]) => [key, { method, params }]);
        return sdk.inputRequired({ inputRequests: Object.fromEntries(asked), requestState });
    };
    const via = ({ mcpReq }) => ({
        tell: (method, params) => mcpReq.notify({ method, params }),
        log: (level, data) => mcpReq.log(level, data),
        again,
        answers: mcpReq.inputResponses,
        state: mcpReq.requestState(),
        mint: text => `${text}.${sealed(text)}`,
        token: mcpReq._meta?.progressToken,
        capabilities: mcpReq.envelope[sdk.CLIENT_CAPABILITIES_META_KEY],
        changes: kind => handler.notify[`${kind}Changed`](),
    });

    const handler = sdk.createMcpHandler(() => {
        const server = new sdk.Server(NAME, { capabilities: CAPABILITIES, requestState: { verify } });
        for (const [method, run] of Object.entries(handlers(refuse))) {
            server.setRequestHandler(method, ({ params }, ctx) => run(params ?? {}, via(ctx)));
        }
        return server;
    }, { legacy: 'reject' });
    return getRequestListener(handler.fetch);
}

const answer = await { legacy, modern }[process.argv[2]]();
listen(createServer((request, response) => (isLocal(request) ? answer(request, response) : response.writeHead(403).end())));
