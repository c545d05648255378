// What the reference server and the front before the bridge have in common.

const LOCAL = /^(https?:\/\/)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** Whether a request came to this machine by its own name, and from a page of its own, if from any. */
export function isLocal({ headers: { host, origin } }) {
    return LOCAL.test(host) && (origin === undefined || LOCAL.test(origin));
}

/** Listens on a free port and prints its URL. */
export function listen(server) {
    server.listen(0, '127.0.0.1', () => console.log(`url http://127.0.0.1:${server.address().port}/mcp`));
}
