// The client that the official conformance suite launches: an official SDK client whose stdio server is the bridge.
// usage: driver.mjs URL, with BRIDGE, BRIDGE_ARGS and ERA as in scripts/conformance; the suite names the scenario.
import assert from 'node:assert/strict';
import { connect } from './client.mjs';
import { scenarios as signIns, setting } from './sign_in.mjs';

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

    /** The first request of each kind says by whom it comes; the first version is refused. */
    async 'request-metadata'(client) {
        await client.listTools();
        await client.callTool({ name: 'any', arguments: {} });
    },

    /** A tool that asks twice, one that asks without a state, and others in between. */
    async 'sep-2322-client-request-state'(client) {
        await client.listTools();
        const call = name => client.callTool({ name, arguments: {} });
        const [echoed, , stateless] = await Promise.all([
            call('test_mrtr_echo_state'),
            call('test_mrtr_unrelated'),
            call('test_mrtr_no_state'),
        ]);
        assert.equal(echoed.content[0].text, 'echo-state-ok');
        assert.equal(stateless.content[0].text, 'no-state-ok');
        // Whole all the same; version 2 of the SDK, which is given it as it came, says that it is not.
        await call('test_mrtr_no_result_type').catch(({ code }) => assert.equal(code, 'INVALID_RESULT'));
    },

    async 'http-standard-headers'(client) {
        const { tools } = await client.listTools();
        for (const { name } of tools) await client.callTool({ name, arguments: {} });
        const { resources } = await client.listResources();
        for (const { uri } of resources) await client.readResource({ uri });
        const { prompts } = await client.listPrompts();
        for (const { name } of prompts) await client.getPrompt({ name });
    },

    async 'http-custom-headers'(client) {
        await client.listTools();
        for (const call of JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT).toolCalls) await client.callTool(call);
    },

    /** All that are listed are called: those that have to be left out are not among them. */
    async 'http-invalid-tool-headers'(client) {
        const { tools } = await client.listTools();
        for (const { name } of tools) await client.callTool({ name, arguments: { region: 'here' } });
    },

    async 'json-schema-ref-no-deref'(client) {
        await client.listTools();
    },

    ...Object.fromEntries(Object.entries(signIns).map(([name, { run }]) => [name, run])),
};

const words = text => (text ?? '').split(/\s+/).filter(Boolean);
const url = process.argv.at(-1);
const name = process.env.MCP_CONFORMANCE_SCENARIO;
assert.ok(name in scenarios, `the driver does not know what to do in scenario ${name}`);

const { args: own, variables } = name in signIns ? setting(name) : { args: [], variables: {} };
const [command, ...args] = [...words(process.env.BRIDGE), url, ...own, ...words(process.env.BRIDGE_ARGS)];
const launch = { command, args, env: variables, stderr: 'inherit' };
const client = await connect(process.env.ERA, launch, name in signIns);
await scenarios[name](client);
await client.close();
