// Where the packages are that `scripts/install-tools` put into target/tools. Nothing of them is resolved from here up.
import { fileURLToPath, pathToFileURL } from 'node:url';

const modules = fileURLToPath(new URL('../../target/tools/node_modules/', import.meta.url));

/** The URL of a file inside an installed package, for `import()`. */
export const resolve = path => pathToFileURL(modules + path).href;

/** A module of the official TypeScript SDK, e.g. `sdk('client/index.js')`. */
export const sdk = path => import(resolve(`@modelcontextprotocol/sdk/dist/esm/${path}`));
