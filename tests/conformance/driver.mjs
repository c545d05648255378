// The client that the official conformance suite launches: an official SDK client whose stdio server is the bridge.
// usage: driver.mjs URL, with BRIDGE and BRIDGE_ARGS as in scripts/conformance; the suite names the scenario.
import assert from 'node:assert/strict';
import { sdk } from '../sdk/tools.mjs';
import { scenarios as signIns, setting } from './sign_in.mjs';

const { Client } = await sdk('client/index.js');
const { StdioClientTransport } = await sdk('client/stdio.js');
const { ElicitRequestSchema } = await sdk('types.js');

/** What a client does in each scenario. A scenario that is not here fails: what it wants has to be found out first. */
const scenarios = {
    async initialize(client) {
        await client.listTools();
    },

    async tools_call(client) {
        const { tools } = await client.listTools();
        assert.deepEqual(tools.map(tool => tool.name), ['add_numbers']);
        const { content } = await client.callTool({ name: 'add_numbers', arguments: { a: 5, b: 3 } });
        assert.equal(content[0].text, 'The sum of 5 and 3 is 8');
    },

    /** The user accepts a form without filling it in; the SDK adds the defaults that came with it. */
    async 'elicitation-sep1034-client-defaults'(client) {
        await client.listTools();
        const { content } = await client.callTool({ name: 'test_client_elicitation_defaults', arguments: {} });
        assert.match(content[0].text, /^Elicitation completed/);
    },

    /** The server ends the stream of the call; its answer is on the stream that the bridge opens 500 ms later. */
    async 'sse-retry'(client) {
        await client.listTools();
        const { content } = await client.callTool({ name: 'test_reconnection', arguments: {} });
        assert.equal(content[0].text, 'Reconnection test completed successfully');
    },

    /** The schema goes back as it came. */
    async 'json-schema-2020-12-preservation'(client) {
        const { tools } = await client.listTools();
        const { inputSchema } = tools.find(tool => tool.name === 'json_schema_2020_12_tool');
        await client.callTool({ name: 'json_schema_echo', arguments: { schema: inputSchema } });
    },

    ...Object.fromEntries(Object.entries(signIns).map(([name, { run }]) => [name, run])),
};

const words = text => (text ?? '').split(/\s+/).filter(Boolean);
const url = process.argv.at(-1);
const name = process.env.MCP_CONFORMANCE_SCENARIO;
assert.ok(name in scenarios, `the driver does not know what to do in scenario ${name}`);

const client = new Client(
    { name: 'bridge-conformance-driver', version: '1.0.0' },
    { capabilities: { elicitation: { form: { applyDefaults: true } } } },
);
client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content: {} }));
const { args: own, variables } = name in signIns ? setting(name) : { args: [], variables: {} };
const [command, ...args] = [...words(process.env.BRIDGE), url, ...own, ...words(process.env.BRIDGE_ARGS)];
await client.connect(new StdioClientTransport({ command, args, env: variables, stderr: 'inherit' }));
await scenarios[name](client);
await client.close();
