// Signing in at a certified provider, with an official client, through real Chromium.
// usage: main.mjs first|all DIRECTORY BRIDGE-COMMAND...
import { Steps } from '../sdk/typescript/steps.mjs';
import { inATerminal } from './terminal.mjs';
import { firstSignIn, inMidSession, manyAtOnce, withFewerScopes } from './serving.mjs';
import { nothingWasLeftInTheOpen } from './canary.mjs';
import { World } from './world.mjs';

const [extent, directory, ...command] = process.argv.slice(2);
const steps = new Steps('sign-in');
const scenarios = { firstSignIn };
if (extent === 'all') Object.assign(scenarios, { manyAtOnce, withFewerScopes, inMidSession, inATerminal });
for (const [name, scenario] of Object.entries(scenarios)) {
    if (process.env.ONLY && process.env.ONLY !== name) continue;
    const world = await World.start(`${directory}/${name}`, command);
    await scenario(steps, world);
    await nothingWasLeftInTheOpen(steps, world);
    world.close();
}
process.exit(steps.failed ? 1 : 0);
