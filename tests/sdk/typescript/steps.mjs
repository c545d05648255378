// One line of output for each thing that was tried, and waiting without sleeping.

const LIMIT_MS = 20_000;

export class Steps {
    failed = 0;

    constructor(subject, print = console.log) {
        this.subject = subject;
        this.print = print;
    }

    /** Runs one step, prints how it went and says whether it went well. */
    async step(name, body, limit = LIMIT_MS) {
        try {
            await within(limit, body());
            this.print(`ok ${this.subject}: ${name}`);
            return true;
        } catch (error) {
            this.failed += 1;
            this.print(`FAILED ${this.subject}: ${name}`);
            this.print(String(error?.stack ?? error).replace(/^/gm, '    '));
            return false;
        }
    }
}

export async function within(milliseconds, promise) {
    let timer;
    const limit = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds);
    });
    try {
        return await Promise.race([promise, limit]);
    } finally {
        clearTimeout(timer);
    }
}

/** Everything that came, in order, and a way to wait for what has not come yet. */
export class Record {
    #items = [];
    #waiting = new Set();
    #ended = false;

    put(item) {
        this.#items.push(item);
        for (const waiter of this.#waiting) {
            if (waiter.fits(item)) {
                this.#waiting.delete(waiter);
                waiter.resolve(item);
            }
        }
    }

    /** Nothing more will come: whoever waits is told. */
    end() {
        this.#ended = true;
        for (const waiter of this.#waiting) waiter.reject(new Error('the connection closed before it came'));
        this.#waiting.clear();
    }

    all(fits) {
        return this.#items.filter(fits);
    }

    /** The first item that fits, whether it is here already or still to come. */
    async first(fits) {
        const here = this.#items.find(fits);
        if (here) return here;
        if (this.#ended) throw new Error('the connection closed before it came');
        return new Promise((resolve, reject) => this.#waiting.add({ fits, resolve, reject }));
    }

    /** A place in the record: `first` of the result only sees what comes from now on. */
    fromHere() {
        const start = this.#items.length;
        return { first: fits => this.first(item => this.#items.indexOf(item) >= start && fits(item)) };
    }
}
