// An official client of either era that launched the bridge; its user accepts every form as it is.
import { resolve, sdk } from '../sdk/tools.mjs';

const NAME = { name: 'bridge-conformance-driver', version: '1.0.0' };
const REVISION = '2026-07-28';
const CAPABILITIES = { elicitation: { form: { applyDefaults: true } } };
const accept = () => ({ action: 'accept', content: {} });

/** Version 1 of the SDK shakes hands. */
async function legacy(launch) {
    const { Client } = await sdk('client/index.js');
    const { StdioClientTransport } = await sdk('client/stdio.js');
    const { ElicitRequestSchema } = await sdk('types.js');
    const client = new Client(NAME, { capabilities: CAPABILITIES });
    client.setRequestHandler(ElicitRequestSchema, accept);
    await client.connect(new StdioClientTransport(launch));
    return client;
}

/**
 * Version 2 of the SDK, which takes no other revision. It asks for the server's offers first, but where a person has to
 * sign in before these can be had: there it remembers them.
 */
async function modern(launch, remembers) {
    const { Client } = await import(resolve('@modelcontextprotocol/client/dist/index.mjs'));
    const { StdioClientTransport } = await import(resolve('@modelcontextprotocol/client/dist/stdio.mjs'));
    const options = { capabilities: CAPABILITIES, versionNegotiation: { mode: { pin: REVISION } } };
    const client = new Client(NAME, options);
    client.setRequestHandler('elicitation/create', accept);
    const args = [...launch.args, '--client-protocol', 'modern'];
    const discover = { supportedVersions: [REVISION], capabilities: { tools: {} }, resultType: 'complete' };
    const prior = remembers ? { kind: 'modern', discover } : undefined;
    await client.connect(new StdioClientTransport({ ...launch, args }), { prior });
    return client;
}

/** `era` is `legacy` or `modern`. */
export const connect = (era, launch, remembers) => ({ legacy, modern })[era](launch, remembers);
