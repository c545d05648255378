// One line of output for each thing that was tried, and waiting without sleeping.

const LIMIT_MS = 20_000;

export class Steps {
    failed = 0;

    constructor(subject) {
        this.subject = subject;
    }

    /** Runs one step and prints how it went; a failed one doesn't keep the next from running. */
    async step(name, body) {
        try {
            await within(LIMIT_MS, body());
            console.log(`ok ${this.subject}: ${name}`);
        } catch (error) {
            this.failed += 1;
            console.log(`FAILED ${this.subject}: ${name}`);
            console.log(String(error?.stack ?? error).replace(/^/gm, '    '));
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

    put(item) {
        this.#items.push(item);
        for (const waiter of this.#waiting) {
            if (waiter.fits(item)) {
                this.#waiting.delete(waiter);
                waiter.resolve(item);
            }
        }
    }

    all(fits) {
        return this.#items.filter(fits);
    }

    /** The first item that fits, whether it is here already or still to come. */
    async first(fits) {
        const here = this.#items.find(fits);
        return here ?? new Promise(resolve => this.#waiting.add({ fits, resolve }));
    }

    /** A place in the record: `first` of the result only sees what comes from now on. */
    fromHere() {
        const start = this.#items.length;
        return { first: fits => this.first(item => this.#items.indexOf(item) >= start && fits(item)) };
    }
}
