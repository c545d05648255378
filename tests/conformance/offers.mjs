// What the suite's server scenarios want a server to offer, whatever its era. A tool or prompt gets its arguments and
// `via`, the way to its client (see server.mjs); a question is `[method, params]`.
import { setTimeout } from 'node:timers/promises';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';
const STEP = 50;

const text = text => ({ type: 'text', text });
const says = words => ({ content: [text(words)] });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
const audio = { type: 'audio', data: WAV, mimeType: 'audio/wav' };
const embedded = (uri, mimeType, words) => ({ type: 'resource', resource: { uri, mimeType, text: words } });
const object = (properties = {}, required = Object.keys(properties)) => ({ type: 'object', properties, required });
const string = { type: 'string' };

const form = (message, properties, required) =>
    ['elicitation/create', { message, requestedSchema: object(properties, required) }];
const sampling = (words, maxTokens = 100) =>
    ['sampling/createMessage', { messages: [{ role: 'user', content: text(words) }], maxTokens }];
const roots = ['roots/list', {}];

/** A tool that asks one question and tells how it was answered. */
const asks = (inputSchema, question, tells) => ({
    inputSchema,
    run: (args, via) => (via.answers ? says(tells(via.answers.only)) : via.again({ only: question(args) })),
});
const action = words => ({ action, content }) => `${words}: action=${action}, content=${JSON.stringify(content ?? {})}`;
const titled = (word, end = 'Option') =>
    ['First', 'Second', 'Third'].map((title, n) => ({ const: `${word}${n + 1}`, title: `${title} ${end}` }));
const numbered = word => [1, 2, 3].map(n => `${word}${n}`);
const several = items => ({ type: 'array', minItems: 1, maxItems: 3, items });

const SCHEMA_2020_12 = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: {
        address: { $anchor: 'addressDef', type: 'object', properties: { street: string, city: string } },
    },
    properties: {
        name: string,
        address: { $ref: '#/$defs/address' },
        contactMethod: { type: 'string', enum: ['phone', 'email'] },
        phone: string,
        email: string,
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
};

const tool = run => ({ inputSchema: object(), run });

/** Tools that the scenarios of both eras call. */
const common = {
    test_simple_text: tool(() => says('This is a simple text response for testing.')),
    test_image_content: tool(() => ({ content: [image] })),
    test_audio_content: tool(() => ({ content: [audio] })),
    test_embedded_resource: tool(() => ({
        content: [embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
    })),
    test_multiple_content_types: tool(() => ({
        content: [
            text('Multiple content types test:'),
            image,
            embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
        ],
    })),
    test_error_handling: tool(() => ({
        ...says('This tool intentionally returns an error for testing'),
        isError: true,
    })),
    test_tool_with_progress: tool(async (_, via) => {
        for (const progress of [0, 50, 100]) {
            if (via.token === undefined) continue;
            await via.tell('notifications/progress', { progressToken: via.token, progress, total: 100 });
            await setTimeout(STEP);
        }
        return says('done');
    }),
    json_schema_2020_12_tool: { inputSchema: SCHEMA_2020_12, run: args => says(JSON.stringify(args)) },
};

/** Those of the scenarios of 2025-11-25. */
const legacy = {
    test_tool_with_logging: tool(async (_, via) => {
        for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
            await via.log('info', data);
            await setTimeout(STEP);
        }
        return says('logged');
    }),
    test_reconnection: tool(async (_, via) => {
        via.closes?.();
        await setTimeout(2 * STEP);
        return says('The answer to a call whose stream was closed.');
    }),
    test_sampling: asks(object({ prompt: string }), args => sampling(args.prompt), answer =>
        `LLM response: ${answer.content.text}`),
    test_elicitation: asks(
        object({ message: string }),
        args => form(args.message, { username: string, email: string }),
        action('User response'),
    ),
    test_elicitation_sep1034_defaults: asks(object(), () => form('Please check', {
        name: { type: 'string', default: 'John Doe' },
        age: { type: 'integer', default: 30 },
        score: { type: 'number', default: 95.5 },
        status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
        verified: { type: 'boolean', default: true },
    }, []), action('Elicitation completed')),
    test_elicitation_sep1330_enums: asks(object(), () => form('Please choose', {
        untitledSingle: { type: 'string', enum: numbered('option') },
        titledSingle: { type: 'string', oneOf: titled('value') },
        legacyEnum: { type: 'string', enum: numbered('opt'), enumNames: ['Option One', 'Option Two', 'Option Three'] },
        untitledMulti: several({ type: 'string', enum: numbered('option') }),
        titledMulti: several({ anyOf: titled('value', 'Choice') }),
    }, []), action('Elicitation completed')),
};

const NAME = form('What is your name?', { name: string });
const CONFIRM = form('Please confirm', { ok: { type: 'boolean' } });
const isForm = answer => answer?.action === 'accept' && typeof answer.content === 'object';

/** A tool that asks until `tells` makes something of the answers. */
const rounds = (questions, tells, state) =>
    tool((_, via) => {
        const words = via.answers && tells(via.answers, via);
        return words ? says(words) : via.again(questions, state && via.mint(state));
    });

/** Those of the scenarios of 2026-07-28. */
const modern = {
    test_logging_tool: tool(async (_, via) => {
        await via.log('info', 'logged');
        return says('done');
    }),
    test_missing_capability: rounds({ words: sampling('Say something') }, () => 'said'),
    test_streaming_elicitation: rounds({ user_name: NAME }, () => 'asked'),
    test_trigger_tool_change: tool((_, via) => (via.changes('tools'), says('changed'))),
    test_trigger_prompt_change: tool((_, via) => (via.changes('prompts'), says('changed'))),
    test_input_required_result_elicitation: rounds({ user_name: NAME }, ({ user_name: name }) =>
        isForm(name) && `Hello, ${name.content.name}!`),
    test_input_required_result_sampling: rounds(
        { capital_question: sampling('What is the capital of France?') },
        answers => answers.capital_question?.content?.text,
    ),
    test_input_required_result_list_roots: rounds({ client_roots: roots }, answers =>
        answers.client_roots?.roots?.map(({ uri }) => uri).join(' ')),
    test_input_required_result_request_state: rounds(
        { confirm: CONFIRM },
        ({ confirm }, via) => isForm(confirm) && via.state === 'confirm' && 'state-ok',
        'confirm',
    ),
    test_input_required_result_tampered_state: rounds(
        { confirm: CONFIRM },
        ({ confirm }, via) => isForm(confirm) && via.state === 'whole' && 'state-ok',
        'whole',
    ),
    test_input_required_result_multiple_inputs: rounds(
        { user_name: NAME, greeting: sampling('Generate a greeting', 50), client_roots: roots },
        answers => ['user_name', 'greeting', 'client_roots'].every(key => answers[key]) && 'all answered',
        'several',
    ),
    test_input_required_result_multi_round: tool((_, via) => {
        const first = { step1: form('Step 1: What is your name?', { name: string }) };
        const second = { step2: form('Step 2: What is your favorite color?', { color: string }) };
        const { step1, step2 } = via.answers ?? {};
        if (via.state === '2' && isForm(step2)) return says(`You like ${step2.content.color}`);
        const isSecond = via.state === '1' && isForm(step1);
        return via.again(isSecond ? second : first, via.mint(isSecond ? '2' : '1'));
    }),
    test_input_required_result_capabilities: tool(async (_, via) => {
        const kinds = { elicitation: NAME, sampling: sampling('Say something'), roots };
        const declared = Object.entries(kinds).filter(([kind]) => via.capabilities[kind]);
        return via.again(Object.fromEntries(declared));
    }),
};

const tools = { ...common, ...legacy, ...modern };

const user = content => ({ role: 'user', content });
const prompts = {
    test_simple_prompt: { run: () => ({ messages: [user(text('This is a simple prompt for testing.'))] }) },
    test_prompt_with_arguments: {
        arguments: ['arg1', 'arg2'],
        run: ({ arg1, arg2 }) => ({
            messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))],
        }),
    },
    test_prompt_with_embedded_resource: {
        arguments: ['resourceUri'],
        run: ({ resourceUri }) => ({
            messages: [
                user(embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.')),
                user(text('Please process the embedded resource above.')),
            ],
        }),
    },
    test_prompt_with_image: { run: () => ({ messages: [user(image), user(text('Please analyze the image above.'))] }) },
    test_input_required_result_prompt: {
        run: (_, via) => {
            const questions = { user_context: form('What context should the prompt use?', { context: string }) };
            const context = via.answers?.user_context;
            return isForm(context) ? { messages: [user(text(context.content.context))] } : via.again(questions);
        },
    },
};

const resources = [
    { uri: 'test://static-text', mimeType: 'text/plain', text: 'This is the content of the static text resource.' },
    { uri: 'test://static-binary', mimeType: 'image/png', blob: PNG },
    { uri: 'test://watched-resource', mimeType: 'text/plain', text: 'Watched.' },
];
const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

function read(uri) {
    const [, id] = TEMPLATE.exec(uri) ?? [];
    if (id === undefined) return resources.find(each => each.uri === uri);
    const data = { id, templateTest: true, data: `Data for ID: ${id}` };
    return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
}

const described = name => ({ name, description: `For the suite: ${name}` });

export const CAPABILITIES = {
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
    completions: {},
    logging: {},
};

/**
 * The handlers of a server, by method: `(params, via) => result`. `refuse(code, message, data)` makes an error of its
 * SDK.
 */
export function handlers(refuse) {
    const found = (kind, all, name) => all[name] ?? refuse(-32602, `there is no ${kind} ${name}`);
    return {
        'tools/list': () => ({
            tools: Object.entries(tools).map(([name, { inputSchema }]) => ({ ...described(name), inputSchema })),
        }),
        'tools/call': ({ name, arguments: args }, via) => found('tool', tools, name).run(args ?? {}, via),
        'prompts/list': () => ({
            prompts: Object.entries(prompts).map(([name, { arguments: args = [] }]) => ({
                ...described(name),
                arguments: args.map(name => ({ ...described(name), required: true })),
            })),
        }),
        'prompts/get': ({ name, arguments: args }, via) => found('prompt', prompts, name).run(args ?? {}, via),
        'resources/list': () => ({
            resources: resources.map(({ uri, mimeType }) => ({ uri, mimeType, ...described(uri) })),
        }),
        'resources/templates/list': () => ({
            resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', ...described('template') }],
        }),
        'resources/read': ({ uri }) => ({
            contents: [read(uri) ?? refuse(-32602, 'Resource not found', { uri })],
        }),
        'completion/complete': () => ({ completion: { values: ['paris', 'park'], total: 2, hasMore: false } }),
    };
}
