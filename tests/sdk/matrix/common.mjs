// What a client does with a server of the common offer, and what has to come of it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const TOOLS = [
    'change', 'echo', 'fail', 'form', 'go', 'log', 'numbers', 'page', 'picture', 'progress', 'region', 'reports',
    'roots', 'rounds', 'sampling', 'several', 'structured', 'wait', 'waits',
];
const TEXT = 'Grüße, 世界 🦀 \u2028 "quoted" \\ \n tab\t';
const PROMPT = { type: 'ref/prompt', name: 'greet' };
const TEMPLATE = { type: 'ref/resource', uri: 'note:///{whose}' };

/** Each step as `[name, body]`, for a client that has been opened. */
export function steps(player, { era, opened, identified, isDeafWhileAsked }) {
    return [
        ...offers(player, { era, opened, identified }),
        ...questions(player),
        ...(isDeafWhileAsked ? [] : givingUp(player)),
        ...unasked(player),
        ...(era === 'legacy' ? ofLegacyClients(player) : []),
        ...errors(player),
    ];
}

function offers(player, { era, opened, identified }) {
    return [
        ['the server says who it is and what it is for', async () => {
            assert.equal(opened.era, era);
            if (!identified) return;
            assert.equal(opened.name, 'common');
            assert.equal(opened.instructions, 'What every server offers.');
        }],
        ['tools are listed', async () => {
            const { tools } = await player.do('tools/list');
            assert.deepEqual(tools.map(({ name }) => name).sort(), TOOLS);
            assert.deepEqual(tools.find(({ name }) => name === 'structured').outputSchema.required, ['sum']);
        }],
        ['a tool answers with text, structure, a picture or a failure', async () => {
            assert.equal(await player.textOf('echo', { text: TEXT }), TEXT);
            assert.deepEqual((await player.call('structured')).structuredContent, { sum: 42 });
            const [picture] = (await player.call('picture')).content;
            assert.deepEqual([picture.type, picture.data, picture.mimeType], ['image', 'iVBORw==', 'image/png']);
            const failed = await player.call('fail');
            assert.deepEqual([failed.isError, failed.content[0].text], [true, 'it failed']);
        }],
        ['structure that is no object comes as such, to a legacy client as text', async () => {
            const { tools } = await player.do('tools/list');
            const { outputSchema } = tools.find(({ name }) => name === 'numbers');
            const { content, structuredContent } = await player.call('numbers');
            if (era === 'legacy') {
                assert.deepEqual([outputSchema, structuredContent], [undefined, undefined]);
                assert.deepEqual(JSON.parse(content[0].text), [1, 2, 3]);
            } else {
                assert.deepEqual([outputSchema.type, structuredContent], ['array', [1, 2, 3]]);
            }
        }],
        ['a large text comes back whole', async () => {
            const large = 'ü'.repeat(500_000);
            assert.ok((await player.textOf('echo', { text: large })) === large);
        }],
        ['an argument that is a header too arrives', async () => {
            assert.equal(await player.textOf('region', { region: 'Zürich' }), 'Zürich');
        }],
        ['thirty calls at once each get their own answer', async () => {
            const texts = Array.from({ length: 30 }, (_, index) => `call ${index}`);
            assert.deepEqual(await Promise.all(texts.map(text => player.textOf('echo', { text }))), texts);
        }],
        ['prompts are listed and got', async () => {
            const { prompts } = await player.do('prompts/list');
            assert.deepEqual(prompts.map(({ name }) => name).sort(), ['asking', 'greet']);
            const { messages } = await player.do('prompts/get', { name: 'greet', arguments: { whom: 'Ada' } });
            assert.equal(messages[0].content.text, 'Say hello to Ada');
        }],
        ['arguments of prompts and templates are completed', async () => {
            const complete = (ref, name, value) => player.do('completion/complete', { ref, argument: { name, value } });
            assert.deepEqual((await complete(PROMPT, 'whom', 'A')).completion.values, ['Ada', 'Alan']);
            assert.deepEqual((await complete(TEMPLATE, 'whose', 'G')).completion.values, ['Grace']);
        }],
        ['resources are listed page by page', async () => {
            const first = await player.do('resources/list');
            assert.deepEqual([first.resources.map(({ uri }) => uri), first.nextCursor], [['memo:///1'], 'second']);
            const second = await player.do('resources/list', { cursor: first.nextCursor });
            assert.deepEqual([second.resources.map(({ uri }) => uri), second.nextCursor], [['memo:///2'], undefined]);
        }],
        ['resources and those of a template are read, as text and as blob', async () => {
            const read = async uri => (await player.do('resources/read', { uri })).contents[0];
            assert.equal((await read('memo:///1')).text, 'a memo');
            assert.equal((await read('memo:///2')).blob, 'AAEC');
            const { resourceTemplates } = await player.do('resources/templates/list');
            assert.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), ['note:///{whose}']);
            assert.equal((await read('note:///Ada')).text, 'a note of Ada');
        }],
    ];
}

function questions(player) {
    /** What the tool heard, once the client has been asked exactly `kinds`. */
    const heard = async (tool, kinds) => {
        const { result, asked } = await player.askedDuring(() => player.textOf(tool));
        assert.deepEqual(asked.map(({ what }) => what).sort(), kinds);
        return { answers: tool === 'rounds' ? result : JSON.parse(result), asked };
    };
    return [
        ['it is asked by form: accepted, then declined', async () => {
            const { answers, asked } = await heard('form', ['form']);
            assert.deepEqual([answers.form.action, answers.form.content], ['accept', { name: 'Ada' }]);
            assert.equal(asked[0].message, 'Who?');
            await player.do('answer', { action: 'decline' });
            assert.equal((await heard('form', ['form'])).answers.form.action, 'decline');
            await player.do('answer', { action: 'accept', content: { name: 'Ada' } });
        }],
        ['it is asked by page', async () => {
            const { answers, asked } = await heard('page', ['page']);
            assert.equal(answers.page.action, 'accept');
            assert.deepEqual([asked[0].message, asked[0].url], ['Visit', 'https://example.com/visit']);
        }],
        ['it is asked for a sample and for its roots', async () => {
            const { answers, asked } = await heard('sampling', ['sampling']);
            assert.equal([answers.sampling.content].flat()[0].text, 'Paris');
            assert.equal(asked[0].message, 'The capital?');
            assert.equal((await heard('roots', ['roots'])).answers.roots.roots[0].uri, 'file:///home/ada');
        }],
        ['it is asked several things at once', async () => {
            const { answers } = await heard('several', ['form', 'roots', 'sampling']);
            assert.deepEqual(answers.form.content, { name: 'Ada' });
            assert.equal([answers.sampling.content].flat()[0].text, 'Paris');
            assert.equal(answers.roots.roots[0].name, 'home');
        }],
        ['it is asked by a prompt and by a resource', async () => {
            const { result, asked } = await player.askedDuring(() => player.do('prompts/get', { name: 'asking' }));
            assert.equal(result.messages[0].content.text, 'Say hello to Ada');
            assert.deepEqual(asked.map(({ what }) => what), ['form']);
            const { contents } = await player.do('resources/read', { uri: 'asking:///' });
            assert.equal(contents[0].text, 'a note of Ada');
        }],
        ['progress is reported before a question and after it', async () => {
            assert.deepEqual(await reportsOf(player, 'reports'), [[1, 2], [2, 2]]);
        }],
        ['it is asked again and again in one call', async () => {
            assert.equal((await heard('rounds', ['form', 'form', 'form'])).answers, '3 rounds');
        }],
    ];
}

function givingUp(player) {
    return [
        ['a call that it cancels while it is asked is given up', async () => {
            const from = player.events.fromHere();
            await player.do('answer', { action: 'never' });
            const { id } = player.start('tools/call', { name: 'form', arguments: {} });
            await from.first(({ event }) => event === 'asked');
            await player.do('cancel', { of: id });
            await player.do('answer', { action: 'accept', content: { name: 'Ada' } });
            assert.equal(JSON.parse(await player.textOf('form')).form.action, 'accept');
        }],
    ];
}

function unasked(player) {
    const told = fits => player.events.first(fits);
    return [
        ['progress is reported', async () => {
            assert.deepEqual(await reportsOf(player, 'progress'), [[1, 2], [2, 2]]);
        }],
        ['messages of the level that it wants are told', async () => {
            await player.do('level', { level: 'error' });
            await player.textOf('log');
            await told(({ event, data }) => event === 'log' && data === 'error');
            assert.deepEqual(player.events.all(({ event }) => event === 'log').map(({ level }) => level), ['error']);
        }],
        ['changes of the lists and of a resource are told', async () => {
            await player.do('listen', { uri: 'memo:///1' });
            for (const what of ['tools', 'prompts', 'resources']) {
                await untilTold(player, what, ({ event, what: kind }) => event === 'changed' && kind === what);
            }
            await untilTold(player, 'memo', ({ event, uri }) => event === 'updated' && uri === 'memo:///1');
        }],
        ['a call that it cancels is cancelled at the server', async () => {
            const who = randomUUID();
            const calls = async () => JSON.parse(await player.textOf('waits', { who }));
            const { id } = player.start('tools/call', { name: 'wait', arguments: { who } });
            await until(async () => (await calls()).now === 1);
            await player.do('cancel', { of: id });
            await until(async () => (await calls()).cancelled === 1);
            assert.deepEqual(await calls(), { now: 0, cancelled: 1 });
        }],
    ];
}

function ofLegacyClients(player) {
    return [
        ['a ping is answered', async () => void (await player.do('ping'))],
        ['a change of its roots disturbs nobody', async () => {
            await player.do('rootsChanged');
            const { roots } = JSON.parse(await player.textOf('roots')).roots;
            assert.equal(roots[0].uri, 'file:///home/ada');
        }],
    ];
}

/** What a tool reported of its progress; it waits after each report until it hears that the client has it. */
async function reportsOf(player, tool) {
    const who = randomUUID();
    const { id, done } = player.start('tools/call', { name: tool, arguments: { who } });
    // Version 2 of the TypeScript SDK adds a report of its own for each round of questions, without a total.
    const ofThis = ({ event, of, total }) => event === 'progress' && of === id && total;
    for (const step of [1, 2]) {
        await Promise.race([player.events.first(report => ofThis(report) && report.progress === step), done]);
        await player.textOf('go', { who });
    }
    assert.equal((await done).content[0].text, 'done');
    return player.events.all(ofThis).map(({ progress, total }) => [progress, total]);
}

/** For a legacy client of a modern server the stream of changes may stand a moment after the session does. */
async function untilTold(player, what, fits) {
    const from = player.events.fromHere();
    let isTold = false;
    const told = from.first(fits).then(() => (isTold = true));
    told.catch(() => {});
    while (!isTold) {
        await player.textOf('change', { what });
        await Promise.race([told, new Promise(resolve => setTimeout(resolve, 100))]);
    }
}

async function until(holds) {
    while (!(await holds())) await new Promise(resolve => setTimeout(resolve, 20));
}

function errors(player) {
    const refused = work => work.then(
        result => assert.fail(`answered: ${JSON.stringify(result)}`),
        ({ code, message }) => ({ code, message }),
    );
    return [
        ['what does not exist is an error, with the words of the server', async () => {
            const resource = await refused(player.do('resources/read', { uri: 'memo:///none' }));
            assert.ok([-32002, -32602].includes(resource.code), JSON.stringify(resource));
            assert.match(resource.message, /memo:\/\/\/none/);
            const prompt = await refused(player.do('prompts/get', { name: 'none' }));
            assert.equal(prompt.code, -32602, JSON.stringify(prompt));
            assert.match(prompt.message, /none/);
        }],
        ['it goes on after errors', async () => {
            assert.equal(await player.textOf('echo', { text: 'still here' }), 'still here');
        }],
    ];
}
