// Processes that the matrix runs: servers, which print their URL, and clients, which do what a line of JSON says.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Record } from '../typescript/steps.mjs';

const children = new Set();
/** Whatever ends the matrix ends what it launched. */
process.on('exit', () => children.forEach(child => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

/** A server that has printed its URL. */
export async function startServer(command, env = {}) {
    const [program, ...args] = command;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, ...env } });
    children.add(child);
    for await (const line of createInterface({ input: child.stdout })) {
        if (line.startsWith('url ')) return { url: line.slice(4), stop: () => child.kill('SIGKILL') };
    }
    throw new Error(`${command.join(' ')}: ended before it printed its URL`);
}

/** What a client was told or asked by the server of its own accord, and the answers to what it was made to do. */
export class Player {
    events = new Record();
    #waiting = new Map();
    #next = 1;

    constructor([program, ...args], env) {
        this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
        children.add(this.child);
        this.child.on('close', () => children.delete(this.child));
        this.child.stdin.on('error', () => {});
        this.stderr = '';
        this.child.stderr.on('data', chunk => (this.stderr += chunk));
        this.ended = new Promise(resolve => this.child.on('close', resolve));
        this.ended.then(() => this.#end());
        this.#read();
    }

    async #read() {
        for await (const line of createInterface({ input: this.child.stdout })) {
            const message = JSON.parse(line);
            const waiting = this.#waiting.get(message.id);
            if (!waiting) {
                this.events.put(message);
            } else if (message.error) {
                waiting.reject(Object.assign(new Error(message.error.message), message.error));
            } else {
                waiting.resolve(message.result);
            }
        }
    }

    #end() {
        this.events.end();
        for (const { reject } of this.#waiting.values()) reject(new Error(`the client ended\n${this.stderr}`));
    }

    /** Makes the client do something; `id` is what `cancel` and the reports of progress name it by. */
    start(name, params = {}) {
        const id = this.#next++;
        const done = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
        done.catch(() => {});
        this.child.stdin.write(`${JSON.stringify({ id, do: name, params })}\n`);
        return { id, done };
    }

    do(name, params) {
        return this.start(name, params).done;
    }

    call(name, args = {}) {
        return this.do('tools/call', { name, arguments: args });
    }

    /** All the text that a tool answers with. */
    async textOf(name, args) {
        const result = await this.call(name, args);
        if (result.isError) throw new Error(`the tool failed: ${JSON.stringify(result)}`);
        return result.content.filter(({ type }) => type === 'text').map(({ text }) => text).join('\n');
    }

    /** What the server asked while `work` went on. */
    async askedDuring(work) {
        const before = this.events.all(() => true).length;
        const result = await work();
        const asked = this.events.all(({ event }) => event === 'asked');
        return { result, asked: asked.filter(item => this.events.all(() => true).indexOf(item) >= before) };
    }

    /** Closes as a client closes, and is killed if that takes too long. */
    async close() {
        this.start('close');
        const limit = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
        await this.ended;
        clearTimeout(limit);
    }
}
