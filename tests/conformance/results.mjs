// Prints what the suite made of a scenario, a line for each check. Fails if there is a bad one, or none at all.
// usage: results.mjs CHECKS.json
import { readFileSync } from 'node:fs';

const checks = JSON.parse(readFileSync(process.argv[2], 'utf8')).filter(({ status }) => status !== 'INFO');
for (const { id, status, errorMessage } of checks) {
    console.log(`    ${status} ${id}${errorMessage ? ` (${errorMessage})` : ''}`);
}
const good = checks.some(({ status }) => status === 'SUCCESS');
const bad = checks.some(({ status }) => status === 'FAILURE' || status === 'WARNING');
process.exit(good && !bad ? 0 : 1);
