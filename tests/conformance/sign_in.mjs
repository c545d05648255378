// What a user of each `auth/…` scenario would have typed, and what the client sees. The browser is browser.mjs.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(homedir(), 'scenario-'));
const log = join(directory, 'pages');
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}');

/** How often the person was led to the page of an authorization server. */
function pages() {
    return read(log).split('\n').filter(line => /^\d+ \S*\/authorize\?/.test(line)).length;
}

function read(file) {
    try {
        return readFileSync(file, 'utf8');
    } catch {
        return '';
    }
}

/** The tools are listed and called; the person is asked as often as said. */
function works({ asked = 1, args = () => [], environment = () => ({}) } = {}) {
    const run = async client => {
        await client.listTools();
        await client.callTool({ name: 'test-tool', arguments: {} });
        assert.equal(pages(), asked, 'times that the person was asked');
    };
    return { run, args, environment };
}

/** No tool can be called, and the error says why in these words. */
function fails(why, { asked }) {
    const run = async client => {
        await client.listTools().catch(() => {});
        await assert.rejects(client.callTool({ name: 'test-tool', arguments: {} }), why);
        assert.ok(pages() <= asked, `the person was asked ${pages()} times`);
    };
    return { run, args: () => [], environment: () => ({}) };
}

/** A client that acts for itself; nobody is asked. */
function by_itself(environment) {
    const args = () => ['--client-credentials', '--client-id', context.client_id];
    return works({ asked: 0, args, environment });
}

function key_file() {
    const file = join(directory, 'key.pem');
    writeFileSync(file, context.private_key_pem, { mode: 0o600 });
    return file;
}

export const scenarios = {
    'auth/metadata-default': works(),
    'auth/metadata-var1': works(),
    'auth/metadata-var2': works(),
    'auth/metadata-var3': works(),
    'auth/basic-cimd': works({
        args: () => ['--client-metadata-url', 'https://conformance-test.local/client-metadata.json'],
    }),
    'auth/scope-from-www-authenticate': works(),
    'auth/scope-from-scopes-supported': works(),
    'auth/scope-omitted-when-undefined': works(),
    'auth/scope-step-up': works({ asked: 2 }),
    'auth/scope-retry-limit': fails(/mcp:admin/, { asked: 2 }),
    'auth/token-endpoint-auth-basic': works(),
    'auth/token-endpoint-auth-post': works(),
    'auth/token-endpoint-auth-none': works(),
    'auth/pre-registration': works({
        args: () => ['--client-id', context.client_id],
        environment: () => ({ BRIDGE_CLIENT_SECRET: context.client_secret }),
    }),
    'auth/client-credentials-basic': by_itself(() => ({ BRIDGE_CLIENT_SECRET: context.client_secret })),
    'auth/client-credentials-jwt': by_itself(() => ({ BRIDGE_CLIENT_SECRET_FILE: key_file() })),
    'auth/2025-03-26-oauth-metadata-backcompat': works(),
    'auth/2025-03-26-oauth-endpoint-fallback': works(),
    'auth/resource-mismatch': fails(/resource/, { asked: 0 }),
    'auth/offline-access-scope': works(),
    'auth/offline-access-not-supported': works(),
    'auth/authorization-server-migration': works({ asked: 2 }),
    'auth/iss-supported': works(),
    'auth/iss-not-advertised': works(),
    'auth/iss-supported-missing': fails(/iss/, { asked: 2 }),
    'auth/iss-wrong-issuer': fails(/iss/, { asked: 2 }),
    'auth/iss-unexpected': fails(/iss/, { asked: 2 }),
    'auth/iss-normalized': fails(/iss/, { asked: 2 }),
    'auth/metadata-issuer-mismatch': fails(/iss/, { asked: 0 }),
};

/** Arguments and variables of the bridge in a scenario. */
export function setting(scenario) {
    const { args, environment } = scenarios[scenario];
    const browser = `${process.execPath} ${join(import.meta.dirname, 'browser.mjs')} %s`;
    const { STORE: store = 'env', BRIDGE_STORE_KEY } = process.env;
    return {
        args: ['--browser', browser, '--credential-store', store, ...args()],
        variables: { BROWSER_LOG: log, ...(store === 'env' ? { BRIDGE_STORE_KEY } : {}), ...environment() },
    };
}
