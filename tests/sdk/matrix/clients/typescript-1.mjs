// A client of version 1 of the official TypeScript SDK, played by ../driver.mjs over stdin and stdout.
// usage: typescript-1.mjs legacy COMMAND..., or its URL alone: straight to the server
import { sdk } from '../../tools.mjs';
import { ANSWERS, CAPABILITIES, NAME, event, play } from './player.mjs';

const { Client } = await sdk('client/index.js');
const { StdioClientTransport } = await sdk('client/stdio.js');
const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp.js');
const types = await sdk('types.js');

const [, command, ...args] = process.argv.slice(2);
const client = new Client(NAME, { capabilities: CAPABILITIES });
const asked = (schema, method) => client.setRequestHandler(schema, ({ params }) => ANSWERS[method](params));
asked(types.ElicitRequestSchema, 'elicitation/create');
asked(types.CreateMessageRequestSchema, 'sampling/createMessage');
asked(types.ListRootsRequestSchema, 'roots/list');
const told = (schema, make) => client.setNotificationHandler(schema, ({ params }) => event(make(params)));
told(types.LoggingMessageNotificationSchema, params => ({ event: 'log', ...params }));
told(types.ResourceUpdatedNotificationSchema, params => ({ event: 'updated', ...params }));
told(types.ToolListChangedNotificationSchema, () => ({ event: 'changed', what: 'tools' }));
told(types.PromptListChangedNotificationSchema, () => ({ event: 'changed', what: 'prompts' }));
told(types.ResourceListChangedNotificationSchema, () => ({ event: 'changed', what: 'resources' }));

await play({
    open: async () => {
        const transport = args.length
            ? new StdioClientTransport({ command, args, env: process.env })
            : new StreamableHTTPClientTransport(new URL(command));
        await client.connect(transport);
        return { era: 'legacy', name: client.getServerVersion().name, instructions: client.getInstructions() };
    },
    ping: () => client.ping(),
    'tools/list': params => client.listTools(params),
    'tools/call': (params, options) => client.callTool(params, undefined, options),
    'prompts/list': params => client.listPrompts(params),
    'prompts/get': params => client.getPrompt(params),
    'resources/list': params => client.listResources(params),
    'resources/templates/list': params => client.listResourceTemplates(params),
    'resources/read': params => client.readResource(params),
    'completion/complete': params => client.complete(params),
    level: ({ level }) => client.setLoggingLevel(level),
    listen: ({ uri }) => client.subscribeResource({ uri }),
    rootsChanged: () => client.sendRootsListChanged(),
    close: () => client.close(),
});
