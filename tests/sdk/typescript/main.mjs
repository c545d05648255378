// The official TypeScript SDK's stdio client, through the bridge, against the everything server.
// usage: main.mjs URL DIRECTORY BRIDGE-COMMAND...
import { aClientOfTheNewerSdk, aClientThatCanDoNothing, aClientThatLeavesEarly } from './others.mjs';
import { aClientThatCanDoEverything } from './everything.mjs';
import { Steps } from './steps.mjs';

const [url, directory, ...command] = process.argv.slice(2);
const steps = new Steps(`typescript over ${process.env.TRANSPORT}`);
await aClientThatCanDoEverything(steps, { url, command, directory: `${directory}/everything` });
await aClientThatCanDoNothing(steps, { command, directory: `${directory}/nothing` });
await aClientThatLeavesEarly(steps, { command, directory: `${directory}/early` });
// Over Streamable HTTP it is part of the matrix.
if (process.env.TRANSPORT === 'sse') await aClientOfTheNewerSdk(steps, { command, directory: `${directory}/newer` });
process.exit(steps.failed ? 1 : 0);
