// Compares what the suite made of a server with what it made of one behind the bridge, a line for each scenario. Fails if
// a check came out otherwise, or if the server itself does not pass. What is excepted, and why: docs/eras.md.
// usage: compare.mjs CLIENT SERVER STRAIGHT BEHIND: the eras of both, and directories of results
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [client, server, straight, behind] = process.argv.slice(2);
const what = `a ${client} client and a ${server} server`;
const translated = client === 'modern' && server === 'legacy';

/** What is said in headers alone ends at the front: over stdio there are none. */
const HEADERS_ONLY = ['http-header-validation', 'http-custom-header-server-validation'];
/** Names of questions, answers without a question, and when questions come are those of a handshake's server. */
const OF_QUESTIONS = [
    'input-required-result-basic-elicitation',
    'input-required-result-ignore-extra-params',
    'input-required-result-multiple-input-requests',
];
const LEFT_OUT = [...HEADERS_ONLY, ...(translated ? OF_QUESTIONS : [])];
/** A server that shakes hands has no error for a capability that is missing. */
const OF_CAPABILITIES = ['sep-2575-server-rejects-undeclared-capability', 'sep-2575-missing-capability-http-400'];
const EXCEPTED = {
    'server-stateless': ['sep-2575-http-server-header-mismatch-400', ...(translated ? OF_CAPABILITIES : [])],
};

/** The checks of each scenario as lines, without what is said for information. */
function results(directory) {
    const scenarios = new Map();
    for (const folder of readdirSync(directory)) {
        const [, name] = /^server-(.+)-\d{4}-\d\d-\d\dT[\d-]+Z$/.exec(folder);
        const checks = JSON.parse(readFileSync(join(directory, folder, 'checks.json'), 'utf8'));
        const told = checks.filter(({ status }) => status !== 'INFO');
        const lines = told.map(({ id, name, status, errorMessage: why }) => ({ id, is: `${id} ${name}: ${status}`, why }));
        scenarios.set(name, lines.sort((a, b) => (a.is < b.is ? -1 : 1)));
    }
    return scenarios;
}

/** What of `lines` is not in `others`, where each counts as often as it is there. */
function beyond(lines, others) {
    const left = others.map(({ is }) => is);
    return lines.filter(({ is }) => {
        const at = left.indexOf(is);
        if (at >= 0) left.splice(at, 1);
        return at < 0;
    });
}

const [without, through] = [straight, behind].map(results);
const names = [...new Set([...without.keys(), ...through.keys()])].filter(name => !LEFT_OUT.includes(name)).sort();
let failed = names.length === 0;
for (const name of names) {
    const excepted = EXCEPTED[name] ?? [];
    const [expected, found] = [without, through].map(all =>
        (all.get(name) ?? []).filter(({ id }) => !excepted.includes(id)));
    const faults = [
        ...expected.filter(({ is }) => !/: (SUCCESS|SKIPPED)$/.test(is)).map(({ is }) => `without the bridge: ${is}`),
        ...beyond(found, expected).map(({ is, why }) => `with the bridge only: ${is} (${why})`),
        ...beyond(expected, found).map(({ is }) => `without the bridge only: ${is}`),
    ];
    const is_good = expected.length > 0 && faults.length === 0;
    failed ||= !is_good;
    console.log(`${is_good ? 'ok' : 'FAILED'} ${what}: ${found.length} checks of ${name} as without the bridge`);
    for (const line of [...faults, ...excepted.map(id => `EXCEPTED ${id}`)]) console.log(`    ${line}`);
}
process.exit(failed ? 1 : 0);
