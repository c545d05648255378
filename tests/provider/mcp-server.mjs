// A hosted MCP server: the official TypeScript SDK behind a guard that validates tokens as the specification says.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { sdk } from '../sdk/tools.mjs';

const { Server } = await sdk('server/index.js');
const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp.js');
const types = await sdk('types.js');

const TOOLS = [
    { name: 'read', description: 'Needs mcp:read', inputSchema: { type: 'object' } },
    { name: 'publish', description: 'Needs mcp:write', inputSchema: { type: 'object' } },
];
const METADATA = '/.well-known/oauth-protected-resource/mcp';

export class McpServer {
    /** What each request to the endpoint came to: `tools/call 200`, … ; requests for the metadata are `metadata`. */
    log = [];
    #transports = new Map();

    static async start() {
        const server = new McpServer();
        server.http = createServer((request, response) => server.#answer(request, response));
        await new Promise(listening => server.http.listen(0, '127.0.0.1', listening));
        server.origin = `http://127.0.0.1:${server.http.address().port}`;
        server.url = `${server.origin}/mcp`;
        return server;
    }

    async #answer(request, response) {
        const { pathname } = new URL(request.url, this.origin);
        if (pathname.startsWith('/.well-known/')) {
            this.log.push('metadata');
            return pathname === METADATA ? json(response, 200, this.#metadata()) : json(response, 404, {});
        }
        if (pathname !== '/mcp') return json(response, 404, {});
        const body = request.method === 'POST' ? JSON.parse(await read(request)) : undefined;
        const refusal = await this.#refusal(request, body);
        const what = body?.method ?? (body ? 'response' : request.method);
        if (refusal) {
            this.log.push(`${what} ${refusal.status}`);
            return refuse(response, refusal);
        }
        response.on('close', () => this.log.push(`${what} ${response.statusCode}`));
        await this.#serve(request, response, body);
    }

    #metadata() {
        return {
            resource: this.url,
            authorization_servers: [this.authServer.issuer],
            scopes_supported: ['mcp:read'],
            bearer_methods_supported: ['header'],
        };
    }

    /** Why the token of a request is not taken. */
    async #refusal(request, body) {
        const metadata = `resource_metadata="${this.origin}${METADATA}"`;
        const token = request.headers.authorization?.match(/^Bearer (.+)$/)?.[1];
        if (!token) return { status: 401, challenge: `Bearer ${metadata}, scope="mcp:read"` };
        const found = await this.authServer.found(token);
        if (!found || found.audience !== this.url) {
            return { status: 401, challenge: `Bearer error="invalid_token", ${metadata}, scope="mcp:read"` };
        }
        const wanted = body?.params?.name === 'publish' ? 'mcp:write' : 'mcp:read';
        if (found.scopes.includes(wanted)) return null;
        return { status: 403, challenge: `Bearer error="insufficient_scope", scope="${wanted}", ${metadata}` };
    }

    async #serve(request, response, body) {
        let transport = this.#transports.get(request.headers['mcp-session-id']);
        if (!transport && !types.isInitializeRequest(body)) return json(response, 404, {});
        transport ??= await this.#session();
        await transport.handleRequest(request, response, body);
    }

    async #session() {
        const transport = new StreamableHTTPServerTransport({
            sessionIdGenerator: randomUUID,
            onsessioninitialized: id => this.#transports.set(id, transport),
            onsessionclosed: id => this.#transports.delete(id),
        });
        const server = new Server({ name: 'guarded', version: '1.0.0' }, { capabilities: { tools: {} } });
        server.setRequestHandler(types.ListToolsRequestSchema, () => ({ tools: TOOLS }));
        server.setRequestHandler(types.CallToolRequestSchema, ({ params }) => ({
            content: [{ type: 'text', text: `done: ${params.name}` }],
        }));
        await server.connect(transport);
        return transport;
    }

    /** What was asked from now on. */
    fromHere() {
        const start = this.log.length;
        return { get log() { return this.all.slice(start); }, all: this.log };
    }

    close() {
        this.http.closeAllConnections();
        this.http.close();
    }
}

async function read(request) {
    const parts = [];
    for await (const part of request) parts.push(part);
    return Buffer.concat(parts).toString('utf8');
}

function json(response, status, value) {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response, { status, challenge }) {
    response.writeHead(status, { 'www-authenticate': challenge, 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: 'see the header' }));
}
