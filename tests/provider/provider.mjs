// A certified OAuth provider (npm `oidc-provider`) with dynamic registration, rotation with reuse detection, resource
// indicators, revocation and device flow, as it comes: its own pages, its own policies. Writes down what it is asked
// and every secret that it issues.
import { createServer } from 'node:http';
import { resolve } from '../sdk/tools.mjs';

const { Provider, errors } = await import(resolve('oidc-provider/lib/index.js'));
const { default: MemoryAdapter } = await import(resolve('oidc-provider/lib/adapters/memory_adapter.js'));

/** Models whose id is the secret itself. */
const SECRET = new Set(['AccessToken', 'RefreshToken', 'AuthorizationCode', 'DeviceCode', 'RegistrationAccessToken']);

export class AuthServer {
    /** `METHOD /path` of every request, in order. */
    requests = [];
    /** What was granted, refused and revoked: `granted refresh_token`, `refused refresh_token invalid_grant`, … */
    events = [];
    /** Every token, code and verifier. */
    secrets = new Set();
    /** Seconds that the next access tokens count. */
    lifetime = 600;
    /** Scopes that a client is cut down to when it registers, if any. */
    registered = null;
    /** The client ids that were given out. */
    clients = [];

    static async start(resources) {
        const server = new AuthServer();
        await server.#listen(resources);
        return server;
    }

    async #listen(resources) {
        this.http = createServer((request, response) => {
            this.requests.push(`${request.method} ${new URL(request.url, this.issuer).pathname}`);
            this.callback(request, response);
        });
        await new Promise(listening => this.http.listen(0, '127.0.0.1', listening));
        this.issuer = `http://127.0.0.1:${this.http.address().port}`;
        this.provider = new Provider(this.issuer, this.#configuration(resources));
        this.callback = this.provider.callback();
        this.#watch();
    }

    #configuration(resources) {
        const server = this;
        return {
            adapter: class extends MemoryAdapter {
                async upsert(id, payload, expiresIn) {
                    if (SECRET.has(this.model)) server.secrets.add(id);
                    if (this.model === 'Client') {
                        server.clients.push(id);
                        if (payload.client_secret) server.secrets.add(payload.client_secret);
                        if (server.registered) payload.scope = server.registered;
                    }
                    return super.upsert(id, payload, expiresIn);
                }
            },
            scopes: ['openid', 'offline_access', 'mcp:read', 'mcp:write'],
            cookies: { keys: ['of the acceptance run'] },
            findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
            features: {
                registration: { enabled: true },
                revocation: { enabled: true },
                deviceFlow: { enabled: true },
                resourceIndicators: {
                    enabled: true,
                    getResourceServerInfo: (_, resource) => {
                        if (!resources().includes(resource)) throw new errors.InvalidTarget();
                        return {
                            scope: 'mcp:read mcp:write',
                            audience: resource,
                            accessTokenFormat: 'opaque',
                            accessTokenTTL: this.lifetime,
                        };
                    },
                },
            },
            ttl: { Session: 3600, Interaction: 600, Grant: 3600, RefreshToken: 3600 },
        };
    }

    #watch() {
        const note = text => this.events.push(text);
        const grant = ctx => ctx.oidc.params?.grant_type ?? 'unknown';
        this.provider.on('grant.success', ctx => {
            note(`granted ${grant(ctx)}`);
            if (ctx.oidc.params.code_verifier) this.secrets.add(ctx.oidc.params.code_verifier);
        });
        this.provider.on('grant.error', (ctx, error) => note(`refused ${grant(ctx)} ${error.message}`));
        this.provider.on('grant.revoked', () => note('revoked a grant'));
        this.provider.on('authorization.error', (ctx, error) => note(`refused authorization ${error.message}`));
        this.provider.on('registration_create.success', (ctx, client) => note(`registered ${client.scope ?? ''}`));
        this.provider.on('registration_create.error', (ctx, error) => note(`refused registration ${error.message}`));
        this.provider.on('access_token.destroyed', () => note('destroyed an access token'));
        this.provider.on('refresh_token.destroyed', () => note('destroyed a refresh token'));
        this.provider.on('server_error', (ctx, error) => note(`broke down: ${error.stack}`));
    }

    /** What an access token is good for, or nothing. */
    async found(token) {
        const found = await this.provider.AccessToken.find(token);
        return found && { audience: found.aud, scopes: (found.scope ?? '').split(' '), grant: found.grantId };
    }

    /** Takes back all that was ever granted. */
    async revokeEverything() {
        const tokens = [...this.secrets];
        for (const model of [this.provider.AccessToken, this.provider.RefreshToken]) {
            for (const token of tokens) await (await model.find(token))?.destroy();
        }
    }

    /** What happened from now on. */
    fromHere() {
        const [requests, events] = [this.requests.length, this.events.length];
        const server = this;
        return {
            get requests() {
                return server.requests.slice(requests);
            },
            get events() {
                return server.events.slice(events);
            },
            count: text => server.events.slice(events).filter(event => event.startsWith(text)).length,
        };
    }

    close() {
        this.http.closeAllConnections();
        this.http.close();
    }
}
