// An HTTP server made of the bridge, so that the suite, which speaks HTTP, can test the server behind it; prints its URL.
// It passes bodies on and looks at no header of MCP but the session's: over stdio there are none.
// usage: front.mjs legacy|modern BRIDGE URL [ARGUMENTS]: a bridge for each session, or one for all stateless requests
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { createInterface } from 'node:readline';
import { sdk } from '../sdk/tools.mjs';
import { isLocal, listen } from './http.mjs';

const [era, program, ...args] = process.argv.slice(2);
const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const STATUS = { [-32601]: 404, [-32602]: 400, [-32020]: 400, [-32021]: 400, [-32022]: 400 };

/** A bridge; `take` gets its messages. */
function bridge(take) {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface({ input: child.stdout }).on('line', line => take(JSON.parse(line)));
    return { give: message => child.stdin.write(`${JSON.stringify(message)}\n`), end: () => child.stdin.end() };
}

/** Sessions and streams that can be resumed, as the official SDK serves them. */
async function legacy() {
    const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp.js');
    const { InMemoryEventStore } = await sdk('examples/shared/inMemoryEventStore.js');
    const sessions = new Map();

    async function open() {
        const transport = new StreamableHTTPServerTransport({
            sessionIdGenerator: randomUUID,
            eventStore: new InMemoryEventStore(),
            retryInterval: 500,
            onsessioninitialized: id => sessions.set(id, transport),
            onsessionclosed: id => sessions.delete(id),
        });
        // Open requests by id, with their progress tokens.
        const open = new Map();
        const behind = bridge(message => {
            const token = message.params?.progressToken;
            const found = token !== undefined && [...open].find(([, each]) => each === token);
            const [of] = found || [...open].at(-1) || [];
            if (message.method) return transport.send(message, { relatedRequestId: of });
            open.delete(message.id);
            return transport.send(message);
        });
        transport.onmessage = message => {
            if (message.id !== undefined && message.method) open.set(message.id, message.params?._meta?.progressToken);
            behind.give(message);
            // Whether a stream is closed before its end is decided here.
            if (message.params?.name === 'test_reconnection') transport.closeSSEStream(message.id);
        };
        transport.onclose = behind.end;
        await transport.start();
        return transport;
    }

    return async (request, response) => {
        const id = request.headers['mcp-session-id'];
        if (id !== undefined && !sessions.has(id)) return response.writeHead(404).end();
        const transport = sessions.get(id) ?? (await open());
        return transport.handleRequest(request, response);
    };
}

/** One bridge for all: ids and progress tokens that are unique to a request of HTTP become unique for the bridge. */
async function modern() {
    const open = new Map();
    let last = 0;

    const behind = bridge(message => {
        const { params, method } = message;
        const own = method === undefined ? message.id : (params?.progressToken ?? params?._meta?.[SUBSCRIPTION]);
        const asked = open.get(own);
        if (!asked) return;
        if (message.id !== undefined) message.id = asked.id;
        if (params?.progressToken !== undefined) params.progressToken = asked.token;
        if (params?._meta?.[SUBSCRIPTION] !== undefined) params._meta[SUBSCRIPTION] = asked.id;
        const subscription = message.result?._meta;
        if (subscription?.[SUBSCRIPTION] !== undefined) subscription[SUBSCRIPTION] = asked.id;
        if (method === undefined) open.delete(own);
        answer(asked.response, message);
    });

    // As clients are advised to begin over stdio (MCP 2026-07-28, stdio, backward compatibility).
    const _meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'front', version: '1.0.0' },
        'io.modelcontextprotocol/clientCapabilities': {},
    };
    behind.give({ jsonrpc: '2.0', id: 0, method: 'server/discover', params: { _meta } });

    function answer(response, message) {
        const isLast = message.method === undefined;
        if (isLast && !response.headersSent) {
            response.writeHead(STATUS[message.error?.code] ?? 200, { 'Content-Type': 'application/json' });
            return response.end(JSON.stringify(message));
        }
        if (!response.headersSent) response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(message)}\n\n`);
        return isLast && response.end();
    }

    return async (request, response) => {
        if (request.method !== 'POST') return response.writeHead(405).end();
        const message = await json(request);
        if (message.id === undefined) {
            behind.give(message);
            return response.writeHead(202).end();
        }
        const own = ++last;
        const token = message.params?._meta?.progressToken;
        open.set(own, { id: message.id, token, response });
        response.on('close', () => {
            const params = { requestId: own };
            if (open.delete(own)) behind.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
        });
        if (token !== undefined) message.params._meta.progressToken = own;
        return behind.give({ ...message, id: own });
    };
}

const answer = await { legacy, modern }[era]();
listen(createServer((request, response) => (isLocal(request) ? answer(request, response) : response.writeHead(403).end())));
