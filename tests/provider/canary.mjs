// No secret that the provider issued stands in the home, the log or what the bridge printed.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';

/** What the browser keeps is its own business; the person's notes are of this run. */
const OTHERS = /\/(profile|pictures)\/|\/(pages\.log|last-\d+\.json|person\.json)$/;

export async function nothingWasLeftInTheOpen(steps, world) {
    await steps.step('no token, code or verifier stands in home, log or output', async () => {
        const secrets = [...world.auth.secrets].flatMap(spellings);
        assert.ok(secrets.length > 0, 'there are secrets to look for');
        const files = readdirSync(world.directory, { recursive: true, withFileTypes: true })
            .filter(entry => entry.isFile())
            .map(entry => `${entry.parentPath}/${entry.name}`)
            .filter(path => !OTHERS.test(path));
        assert.ok(files.some(path => path.startsWith(world.home)), 'there is a record');
        assert.ok(files.some(path => path.endsWith('bridge.log')), 'there is a log');
        for (const path of files) {
            const content = readFileSync(path, 'latin1');
            assert.ok(!secrets.some(secret => content.includes(secret)), `a secret stands in ${path}`);
        }
    });
}

/** A secret as it is, and as it might be written down. */
function spellings(secret) {
    const bytes = Buffer.from(secret);
    return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
}
