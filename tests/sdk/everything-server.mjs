// Starts the official "everything" server on a free port and prints its URL as soon as it listens.
// usage: everything-server.mjs streamable-http|sse
// That server only knows a fixed port; port 0 works, but nothing says which one it got. Hence this preamble.
import { Server } from 'node:net';

process.env.PORT = '0';
const [mode, path] = { 'streamable-http': ['streamableHttp', '/mcp'], sse: ['sse', '/sse'] }[process.argv[2]];
process.argv[2] = mode;

const listen = Server.prototype.listen;
Server.prototype.listen = function (...args) {
    this.once('listening', () => console.log(`url http://127.0.0.1:${this.address().port}${path}`));
    return listen.apply(this, args);
};

const { resolve } = await import('./tools.mjs');
await import(resolve('@modelcontextprotocol/server-everything/dist/index.js'));
