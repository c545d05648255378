// What the clients in JavaScript share: who they are, how they answer the server, and the lines to and from the driver.
import { createInterface } from 'node:readline';

export const NAME = { name: 'matrix', version: '1.0.0' };
export const CAPABILITIES = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };

/** What the next form is answered with; the driver sets it. */
let form = { action: 'accept', content: { name: 'Ada' } };

export const ANSWERS = {
    'elicitation/create': params => {
        const page = params.mode === 'url';
        event({ event: 'asked', what: page ? 'page' : 'form', message: params.message, url: params.url });
        if (page) return { action: 'accept' };
        return form.action === 'never' ? new Promise(() => {}) : form;
    },
    'sampling/createMessage': ({ messages }) => {
        const heard = [messages[0].content].flat()[0].text;
        event({ event: 'asked', what: 'sampling', message: heard });
        return { role: 'assistant', model: 'stand-in', content: { type: 'text', text: 'Paris' } };
    },
    'roots/list': () => {
        event({ event: 'asked', what: 'roots' });
        return { roots: [{ uri: 'file:///home/ada', name: 'home' }] };
    },
};

export const event = value => process.stdout.write(`${JSON.stringify(value)}\n`);

/** Does what each line of stdin says, and writes down what came of it. */
export async function play(deeds) {
    const running = new Map();
    const steps = {
        answer: value => void (form = value),
        cancel: ({ of }) => running.get(of)?.abort('not wanted any more'),
    };
    const perform = async ({ id, do: name, params = {} }) => {
        const abort = new AbortController();
        running.set(id, abort);
        const onprogress = ({ progress, total }) => event({ event: 'progress', of: id, progress, total });
        const options = { signal: abort.signal, onprogress };
        try {
            const result = await { ...steps, ...deeds }[name](params, options);
            event({ id, result: result ?? {} });
        } catch (error) {
            event({ id, error: { code: error.code, message: String(error.message ?? error), data: error.data } });
        }
        if (name === 'close') process.exit(0);
    };
    for await (const line of createInterface({ input: process.stdin })) perform(JSON.parse(line));
}
