// Prints what the suite made of a scenario, a line for each check. Fails if there is a bad one, or none at all.
// usage: results.mjs CHECKS.json [METHOD]: what is bad of a message of this method is excepted.
import { readFileSync } from 'node:fs';

const [file, excepted] = process.argv.slice(2);
const checks = JSON.parse(readFileSync(file, 'utf8')).filter(({ status }) => status !== 'INFO');
const isBad = ({ status }) => status === 'FAILURE' || status === 'WARNING';
const isExcepted = check => isBad(check) && excepted && check.details?.method === excepted;
for (const check of checks) {
    const { id, status, errorMessage } = check;
    const word = isExcepted(check) ? `EXCEPTED (${excepted})` : status;
    console.log(`    ${word} ${id}${errorMessage ? ` (${errorMessage})` : ''}`);
}
const good = checks.some(({ status }) => status === 'SUCCESS');
const bad = checks.some(check => isBad(check) && !isExcepted(check));
process.exit(good && !bad ? 0 : 1);
