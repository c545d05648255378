// A hosted MCP server of the official SDK behind five doors, and the authorization server that two of them lead to, which
// approves whoever comes. All on one origin; what was asked is kept.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { sdk } from '../sdk/tools.mjs';

const { Server } = await sdk('server/index.js');
const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp.js');
const { ListToolsRequestSchema } = await sdk('types.js');

const TOOLS = [{ name: 'hello', description: 'Says hello', inputSchema: { type: 'object' } }];
const METADATA = '/.well-known/oauth-protected-resource';

export class World {
    /** The clients that are known, by their ids. */
    clients = new Map();
    registrations = 0;
    /** The clients that people were sent to sign in with. */
    askedWith = [];
    /** Tokens that were given. */
    tokens = new Set();
    #codes = new Map();
    #secrets;

    /** The doors, each open to whoever has this. */
    doors = {
        '/open': () => true,
        '/bearer': request => request.headers.authorization === `Bearer ${this.#secrets.bearer}`,
        '/key': request => request.headers['x-api-key'] === this.#secrets.key,
        '/signed': request => this.#isSignedIn(request),
        '/by-hand': request => this.#isSignedIn(request),
    };

    static async start(secrets) {
        const world = new World();
        world.#secrets = secrets;
        world.http = createServer((request, response) => world.#answer(request, response));
        await new Promise(listening => world.http.listen(0, '127.0.0.1', listening));
        world.origin = `http://127.0.0.1:${world.http.address().port}`;
        return world;
    }

    end() {
        this.http.closeAllConnections();
        this.http.close();
    }

    #isSignedIn(request) {
        return this.tokens.has(request.headers.authorization?.replace('Bearer ', ''));
    }

    async #answer(request, response) {
        const url = new URL(request.url, this.origin);
        const body = await read(request);
        const json = (status, value, headers = {}) =>
            response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
        const door = this.doors[url.pathname];
        if (door) {
            if (door(request)) return this.#serve(request, response, body);
            const metadata = `Bearer resource_metadata="${this.origin}${METADATA}${url.pathname}"`;
            return json(401, { error: 'invalid_token' }, { 'www-authenticate': metadata });
        }
        if (url.pathname.startsWith(`${METADATA}/`)) {
            const resource = this.origin + url.pathname.slice(METADATA.length);
            return json(200, { resource, authorization_servers: [this.origin] });
        }
        switch (url.pathname) {
            case '/.well-known/oauth-authorization-server': return json(200, this.#metadata());
            case '/register': return json(201, this.#register(JSON.parse(body)));
            case '/authorize': return this.#authorize(url.searchParams, response);
            case '/token': return json(...this.#token(request, new URLSearchParams(body)));
            default: return json(404, {});
        }
    }

    #metadata() {
        const at = path => this.origin + path;
        return {
            issuer: this.origin,
            authorization_endpoint: at('/authorize'),
            token_endpoint: at('/token'),
            registration_endpoint: at('/register'),
            response_types_supported: ['code'],
            grant_types_supported: ['authorization_code', 'refresh_token'],
            code_challenge_methods_supported: ['S256'],
            token_endpoint_auth_methods_supported: ['none', 'client_secret_post', 'client_secret_basic'],
        };
    }

    #register(wanted) {
        this.registrations += 1;
        const client = { ...wanted, client_id: `client-${this.registrations}` };
        this.clients.set(client.client_id, client);
        return client;
    }

    /** The person says yes at once. */
    #authorize(asked, response) {
        const client = this.clients.get(asked.get('client_id'));
        const redirect = asked.get('redirect_uri');
        if (!client?.redirect_uris.includes(redirect)) return response.writeHead(400).end('unknown client_id or redirect_uri');
        this.askedWith.push(client.client_id);
        const code = token();
        this.#codes.set(code, { client, redirect, challenge: asked.get('code_challenge') });
        const back = new URL(redirect);
        for (const [name, value] of [['code', code], ['state', asked.get('state')]]) back.searchParams.set(name, value);
        response.writeHead(302, { location: back }).end();
    }

    #token(request, form) {
        const basic = request.headers.authorization?.match(/^Basic (.+)$/)?.[1];
        const [id, secret] = basic
            ? Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent)
            : [form.get('client_id'), form.get('client_secret') ?? undefined];
        const client = this.clients.get(id);
        if (!client || (client.client_secret ?? undefined) !== secret) return [401, { error: 'invalid_client' }];
        if (form.get('grant_type') === 'authorization_code') {
            const code = this.#codes.get(form.get('code'));
            this.#codes.delete(form.get('code'));
            const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
            if (code?.client !== client || code.redirect !== form.get('redirect_uri') || code.challenge !== challenge)
                return [400, { error: 'invalid_grant' }];
        }
        const [access, refresh] = [token(), token()];
        this.tokens.add(access);
        return [200, { access_token: access, refresh_token: refresh, token_type: 'Bearer', expires_in: 3600 }];
    }

    /** Without a session: each message stands for itself. */
    async #serve(request, response, body) {
        if (request.method !== 'POST') return response.writeHead(405).end();
        const server = new Server({ name: 'first steps', version: '1.0.0' }, { capabilities: { tools: {} } });
        server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }));
        const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
        response.on('close', () => server.close());
        await server.connect(transport);
        await transport.handleRequest(request, response, JSON.parse(body));
    }
}

/** Every token is told from other words by how it begins. */
const token = () => `canary-token-${randomBytes(12).toString('hex')}`;

async function read(request) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
}
