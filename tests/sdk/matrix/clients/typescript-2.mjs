// A client of version 2 of the official TypeScript SDK, played by ../driver.mjs over stdin and stdout.
// usage: typescript-2.mjs auto|modern COMMAND..., or its URL alone: straight to the server
import { resolve } from '../../tools.mjs';
import { ANSWERS, CAPABILITIES, NAME, event, play } from './player.mjs';

const dist = '@modelcontextprotocol/client/dist';
const { Client, StreamableHTTPClientTransport } = await import(resolve(`${dist}/index.mjs`));
const { StdioClientTransport } = await import(resolve(`${dist}/stdio.mjs`));

const [mode, command, ...args] = process.argv.slice(2);
const client = new Client(NAME, {
    capabilities: CAPABILITIES,
    versionNegotiation: { mode: mode === 'modern' ? { pin: '2026-07-28' } : 'auto' },
});
for (const [method, answer] of Object.entries(ANSWERS)) client.setRequestHandler(method, ({ params }) => answer(params));
client.setNotificationHandler('notifications/message', ({ params }) => event({ event: 'log', ...params }));
client.setNotificationHandler('notifications/resources/updated', ({ params }) => event({ event: 'updated', ...params }));
for (const what of ['tools', 'prompts', 'resources']) {
    client.setNotificationHandler(`notifications/${what}/list_changed`, () => event({ event: 'changed', what }));
}

let level;
const isModern = () => client.getProtocolEra() === 'modern';
/** What each request carries beside its own. */
const meta = () => (level ? { _meta: { 'io.modelcontextprotocol/logLevel': level } } : {});

await play({
    open: async () => {
        const transport = args.length
            ? new StdioClientTransport({ command, args, env: process.env })
            : new StreamableHTTPClientTransport(new URL(command));
        await client.connect(transport);
        const { name } = client.getServerVersion() ?? {};
        return { era: isModern() ? 'modern' : 'legacy', name, instructions: client.getInstructions() };
    },
    ping: () => client.ping(),
    'tools/list': params => client.request({ method: 'tools/list', params: { ...params, ...meta() } }),
    'tools/call': (params, options) => client.callTool({ ...params, ...meta() }, options),
    'prompts/list': params => client.listPrompts(params),
    'prompts/get': params => client.getPrompt(params),
    'resources/list': params => client.request({ method: 'resources/list', params }),
    'resources/templates/list': params => client.listResourceTemplates(params),
    'resources/read': params => client.readResource(params),
    'completion/complete': params => client.complete(params),
    level: async wanted => void (isModern() ? (level = wanted.level) : await client.setLoggingLevel(wanted.level)),
    listen: async ({ uri }) => {
        if (!isModern()) return client.subscribeResource({ uri });
        const all = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true };
        const { honoredFilter } = await client.listen({ ...all, resourceSubscriptions: [uri] });
        return honoredFilter;
    },
    rootsChanged: () => client.sendRootsListChanged(),
    close: () => client.close(),
});
