// What a client does with the official "everything" server, and what has to come of it.
import assert from 'node:assert/strict';

const DOCUMENT = 'demo://resource/static/document/features.md';
const PROMPTS = ['args-prompt', 'completable-prompt', 'resource-prompt', 'simple-prompt'];

/** Each step as `[name, body]`, for a client that has been opened. */
export function steps(player, { era, opened, identified }) {
    return [
        ...offers(player, { era, opened, identified }),
        ...questions(player, era),
        ...unasked(player, era),
        ...errors(player),
    ];
}

function offers(player, { era, opened, identified }) {
    return [
        ['the server says who it is and what it is for', async () => {
            assert.equal(opened.era, era);
            if (!identified) return;
            assert.equal(opened.name, 'mcp-servers/everything');
            assert.match(opened.instructions, /^# Everything Server/);
        }],
        ['tools are listed', async () => {
            const { tools } = await player.do('tools/list');
            const names = tools.map(({ name }) => name);
            for (const name of ['echo', 'get-roots-list', 'trigger-elicitation-request', 'trigger-sampling-request']) {
                assert.ok(names.includes(name), names.join());
            }
        }],
        ['a tool answers with text, structure, a picture or a failure', async () => {
            assert.equal(await player.textOf('get-sum', { a: 2.5, b: 40 }), 'The sum of 2.5 and 40 is 42.5.');
            const { structuredContent } = await player.call('get-structured-content', { location: 'Los Angeles' });
            assert.deepEqual(structuredContent, { temperature: 73, conditions: 'Sunny / Clear', humidity: 48 });
            const picture = (await player.call('get-tiny-image')).content[1];
            assert.equal(Buffer.from(picture.data, 'base64').subarray(1, 4).toString(), 'PNG');
            assert.equal((await player.call('get-sum', { a: 'one' })).isError, true);
        }],
        ['thirty calls at once each get their own answer', async () => {
            const sums = Array.from({ length: 30 }, (_, a) => `The sum of ${a} and 1000 is ${a + 1000}.`);
            const asked = sums.map((_, a) => player.textOf('get-sum', { a, b: 1000 }));
            assert.deepEqual(await Promise.all(asked), sums);
        }],
        ['prompts are listed and got', async () => {
            const { prompts } = await player.do('prompts/list');
            assert.deepEqual(prompts.map(({ name }) => name).sort(), PROMPTS);
            const args = { city: 'Austin', state: 'Texas' };
            const { messages } = await player.do('prompts/get', { name: 'args-prompt', arguments: args });
            assert.equal(messages[0].content.text, "What's weather in Austin, Texas?");
        }],
        ['arguments of prompts and templates are completed', async () => {
            const complete = (ref, name, value, context) =>
                player.do('completion/complete', { ref, argument: { name, value }, context });
            const prompt = { type: 'ref/prompt', name: 'completable-prompt' };
            const { completion } = await complete(prompt, 'department', 'S');
            assert.deepEqual(completion.values, ['Sales', 'Support']);
            const ofEngineering = { arguments: { department: 'Engineering' } };
            assert.deepEqual((await complete(prompt, 'name', 'A', ofEngineering)).completion.values, ['Alice']);
            const template = { type: 'ref/resource', uri: 'demo://resource/dynamic/text/{resourceId}' };
            assert.deepEqual((await complete(template, 'resourceId', '8')).completion.values, ['8']);
        }],
        ['resources and those of a template are read, as text and as blob', async () => {
            const { resources } = await player.do('resources/list');
            assert.ok(resources.some(({ uri }) => uri === DOCUMENT));
            const read = async uri => (await player.do('resources/read', { uri })).contents[0];
            assert.match((await read(DOCUMENT)).text, /^# Everything Server - Features/);
            const { resourceTemplates } = await player.do('resources/templates/list');
            assert.equal(resourceTemplates.length, 2);
            assert.match((await read('demo://resource/dynamic/text/12')).text, /^Resource 12: This is a plaintext/);
            const { blob } = await read('demo://resource/dynamic/blob/13');
            assert.match(Buffer.from(blob, 'base64').toString(), /^Resource 13: This is a base64 blob/);
        }],
    ];
}

/** What `work` came to and what it asked; the server asks for the roots on its own, some time after a session began. */
async function asking(player, work) {
    const { result, asked } = await player.askedDuring(work);
    return { result, asked: asked.filter(({ what }) => what !== 'roots') };
}

/** The server answers with the error that names a page, once; a modern client is asked to visit it instead. */
async function afterError(player, era, args) {
    const page = 'https://modelcontextprotocol.io';
    if (era === 'legacy') {
        await assert.rejects(player.call('trigger-url-elicitation', args), ({ code, data }) => {
            assert.deepEqual([code, data.elicitations[0].url], [-32042, page]);
            return true;
        });
    }
    const { result, asked } = await asking(player, () => player.textOf('trigger-url-elicitation', args));
    assert.match(result, /completed the URL elicitation flow/);
    assert.equal(asked[0].url, era === 'legacy' ? args.url : page);
}

function questions(player, era) {
    return [
        ['it is asked by form: accepted, then declined', async () => {
            await player.do('answer', { action: 'accept', content: { name: 'Ada', integer: 7 } });
            const { result, asked } = await asking(player, () => player.textOf('trigger-elicitation-request'));
            assert.match(result, /- Name: Ada/);
            assert.match(result, /- Favorite Integer: 7/);
            assert.deepEqual(asked.map(({ what }) => what), ['form']);
            await player.do('answer', { action: 'decline' });
            assert.match(await player.textOf('trigger-elicitation-request'), /declined/);
        }],
        ['it is asked by page, in mid-call and by an error', async () => {
            const args = { url: 'https://example.com/p', elicitationId: 'matrix' };
            const { result, asked } = await asking(player, () => player.textOf('trigger-url-elicitation', args));
            assert.match(result, /completed the URL elicitation flow/);
            assert.deepEqual(asked.map(({ what, url }) => [what, url]), [['page', 'https://example.com/p']]);
            await afterError(player, era, { ...args, errorPath: true });
        }],
        ['it is asked for a sample', async () => {
            const { result, asked } = await asking(player, () =>
                player.textOf('trigger-sampling-request', { prompt: 'why?', maxTokens: 9 }));
            assert.match(result, /"text": "Paris"/);
            assert.deepEqual(asked.map(({ what }) => what), ['sampling']);
            assert.match(asked[0].message, /why\?/);
        }],
        ['it is asked for its roots', async () => {
            assert.match(await player.textOf('get-roots-list'), /1\. home\n {3}URI: file:\/\/\/home\/ada/);
        }],
    ];
}

function unasked(player, era) {
    const updated = ({ event, uri }) => event === 'updated' && uri === DOCUMENT;
    const changed = ({ event, what }) => event === 'changed' && what === 'resources';
    return [
        ['progress is reported', async () => {
            const operation = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 5 } };
            const { id, done } = player.start('tools/call', operation);
            assert.match((await done).content[0].text, /^Long running operation completed/);
            const reports = player.events.all(({ event, of }) => event === 'progress' && of === id);
            // Clients drop reports that they read together with the result.
            assert.deepEqual(reports.slice(0, 3).map(({ progress, total }) => [progress, total]), [[1, 5], [2, 5], [3, 5]]);
        }],
        ['a call that it cancels ends, and the session goes on', async () => {
            const operation = { name: 'trigger-long-running-operation', arguments: { duration: 30, steps: 300 } };
            const { id } = player.start('tools/call', operation);
            await player.events.first(({ event, of }) => event === 'progress' && of === id);
            await player.do('cancel', { of: id });
            assert.equal(await player.textOf('echo', { message: 'still here' }), 'Echo: still here');
        }],
        ['an update of a subscribed resource and a change of a list are told', async () => {
            await player.do('listen', { uri: DOCUMENT });
            assert.match(await player.textOf('toggle-subscriber-updates'), /^Started/);
            await player.events.first(updated);
            assert.match(await player.textOf('toggle-subscriber-updates'), /^Stopped/);
            const later = player.events.fromHere();
            const packed = { name: 'linked.gz', data: 'data:text/plain,linked', outputType: 'resourceLink' };
            await player.call('gzip-file-as-resource', packed);
            await later.first(changed);
        }],
        // Its simulated messages come on the session's own stream, which a modern request has none of.
        ...(era === 'modern' ? [] : [['messages of the level that it wants are told', async () => {
            await player.do('level', { level: 'debug' });
            assert.match(await player.textOf('toggle-simulated-logging'), /^Started/);
            await player.events.first(({ event, data }) => event === 'log' && /level.message/.test(JSON.stringify(data)));
            assert.match(await player.textOf('toggle-simulated-logging'), /^Stopped/);
        }]]),
    ];
}

function errors(player) {
    return [
        ['what does not exist is an error, with the words of the server', async () => {
            await assert.rejects(player.do('resources/read', { uri: 'demo://no/such/resource' }), error => {
                assert.equal(error.code, -32602);
                assert.match(error.message, /demo:\/\/no\/such\/resource/);
                return true;
            });
        }],
    ];
}
