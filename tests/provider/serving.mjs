// The bridge as a client launches it.
import assert from 'node:assert/strict';
import { within } from '../sdk/typescript/steps.mjs';
import { assertBridgeLeftCleanly } from '../sdk/typescript/session.mjs';
import { pause, until } from './world.mjs';

const text = result => result.content[0].text;
const names = async session => (await session.list('tools/list', 'tools')).map(tool => tool.name);

/** Opens a session and lists: whoever has to sign in does so meanwhile. */
async function signedIn(world, ...args) {
    const session = world.client(...args);
    await session.connect();
    assert.deepEqual(await names(session), ['read', 'publish']);
    return session;
}

/** The person has not been asked, nor has anybody looked for the provider or registered. */
function assertSilent(world, auth, server, pages) {
    assert.equal(world.pages.length, pages, 'no page opens');
    assert.deepEqual(auth.requests, []);
    assert.ok(!server.log.includes('metadata'), server.log.join());
}

/** The bridge has ended by itself, and has told of nothing but these sign-ins. */
async function leave(session, ...told) {
    await session.close();
    session.assertAnsweredOnce();
    assertBridgeLeftCleanly(session.directory, told);
}

const ASKED = /warning: \S+ wants you to sign in: open http:\/\/127\.0\.0\.1:\d+\/sign-in\/\S+$/;
const ASKED_FOR_MORE = /wants you to sign in \(it wants permissions that were not granted: `mcp:write`\): open http/;
const ASKED_AGAIN = /wants you to sign in \(the sign-in is over: .*invalid_grant.*\): open http/;

export async function firstSignIn(steps, world) {
    const { auth } = world;
    let session = world.client();
    await steps.step('a client that was never signed in opens its session', () => session.connect());
    await steps.step('the person signs in, and the first list is complete', async () => {
        assert.deepEqual(await names(session), ['read', 'publish']);
        assert.equal(world.pages.length, 1, 'pages');
        assert.equal(auth.clients.length, 1, 'registrations');
        assert.deepEqual(auth.events.map(event => event.split(' ')[0]), ['registered', 'granted']);
    });
    await steps.step('a call succeeds', async () => {
        assert.equal(text(await session.call('read')), 'done: read');
    });
    await steps.step('the page says that the person is signed in', async () => {
        const { title, text } = await world.lastPage();
        assert.match(title, /You are signed in/);
        assert.match(text, /go back to acceptance/);
    });
    await steps.step('the bridge leaves with its client; its log tells of the page', () => leave(session, ASKED));
    await steps.step('the next process signs in silently', async () => {
        const [before, asked] = [auth.fromHere(), world.server.fromHere()];
        session = await signedIn(world);
        assert.equal(text(await session.call('read')), 'done: read');
        assertSilent(world, before, asked, 1);
        assert.ok(!asked.log.some(line => line.endsWith(' 401')), asked.log.join());
        await leave(session);
    });
}

export async function manyAtOnce(steps, world) {
    const { auth } = world;
    auth.lifetime = 4;
    let session;
    await steps.step('20 calls right after the token is over: one refresh, none fails', async () => {
        session = await signedIn(world);
        auth.lifetime = 600;
        await pause(4_500);
        const [before, asked] = [auth.fromHere(), world.server.fromHere()];
        const results = await Promise.all(Array.from({ length: 20 }, () => session.call('read')));
        assert.deepEqual(new Set(results.map(text)), new Set(['done: read']));
        assert.deepEqual(before.events, ['granted refresh_token']);
        assert.deepEqual(before.requests, ['POST /token']);
        assert.equal(asked.log.filter(line => line === 'tools/call 200').length, 20, asked.log.join());
        await leave(session, ASKED);
    });
    const seconds = Number(process.env.SIGN_IN_SECONDS ?? 60);
    await steps.step(
        `two bridges, one store, tokens of 3 s for ${seconds} s: nothing is refused, no page`,
        async () => {
            auth.lifetime = 3;
            const pages = world.pages.length;
            const before = auth.fromHere();
            const sessions = await Promise.all([signedIn(world), signedIn(world)]);
            await world.run('login', '--force', '--browser', world.browser);
            const end = Date.now() + seconds * 1000;
            const use = async session => {
                for (let calls = 0; ; calls += 1) {
                    if (Date.now() > end) return calls;
                    assert.equal(text(await session.call('read')), 'done: read');
                }
            };
            const calls = await Promise.all(sessions.map(use));
            assert.ok(calls.every(count => count > seconds), calls.join());
            assert.equal(before.count('refused'), 0, before.events.join());
            const renewed = before.count('granted refresh_token');
            assert.ok(renewed >= seconds / 3 - 2 && renewed <= seconds / 2 + 2, `${renewed} renewals`);
            assert.equal(world.pages.length, pages + 1, 'pages beside that of the login');
            await Promise.all(sessions.map(session => leave(session)));
        },
        (seconds + 30) * 1000,
    );
}

export async function withFewerScopes(steps, world) {
    const { auth } = world;
    let session;
    await steps.step('a client that was registered for less signs in', async () => {
        auth.registered = 'openid offline_access mcp:read';
        session = await signedIn(world);
        auth.registered = null;
        assert.equal(text(await session.call('read')), 'done: read');
    });
    await steps.step('a call that wants more: one page, all scopes, and the call goes on', async () => {
        const [before, pages] = [auth.fromHere(), world.pages.length];
        assert.equal(text(await session.call('publish')), 'done: publish');
        assert.equal(world.pages.length, pages + 1, 'pages');
        assert.equal(before.count('registered'), 1, before.events.join());
        assert.equal(before.count('granted authorization_code'), 1, before.events.join());
        const { scopes } = await world.status();
        assert.deepEqual(new Set(scopes), new Set(['mcp:read', 'mcp:write']));
        assert.equal(text(await session.call('read')), 'done: read');
        await leave(session, ASKED, ASKED_FOR_MORE);
    });
    await steps.step('the next process has them, silently', async () => {
        const [before, asked, pages] = [auth.fromHere(), world.server.fromHere(), world.pages.length];
        session = await signedIn(world);
        assert.equal(text(await session.call('publish')), 'done: publish');
        assertSilent(world, before, asked, pages);
        await leave(session);
    });
    await steps.step('a person who does not want to give more: the call says so, and the rest goes on', async () => {
        await world.run('logout');
        auth.registered = 'openid offline_access mcp:read';
        const session = await signedIn(world);
        auth.registered = null;
        world.person({ does: 'deny' });
        const pages = world.pages.length;
        await assert.rejects(session.call('publish'), /declined|denied/i);
        assert.equal(world.pages.length, pages + 1, 'pages');
        assert.match((await world.lastPage()).title, /You are not signed in/);
        assert.equal(text(await session.call('read')), 'done: read', 'what was allowed stays');
        await leave(session, ASKED, ASKED_FOR_MORE, /nobody is signed in/);
        world.person({ does: 'approve' });
    });
}

export async function inMidSession(steps, world) {
    const { auth } = world;
    let session;
    await steps.step('tokens that are revoked in mid-session: one page, and the session goes on', async () => {
        session = await signedIn(world);
        await auth.revokeEverything();
        const [before, pages] = [auth.fromHere(), world.pages.length];
        assert.equal(text(await session.call('read')), 'done: read');
        assert.equal(world.pages.length, pages + 1, 'pages');
        assert.equal(before.count('refused refresh_token invalid_grant'), 1, before.events.join());
        assert.equal(before.count('registered'), 0, before.events.join());
        assert.equal(text(await session.call('read')), 'done: read');
    });
    await steps.step('while the person is away, error and status say why they are asked', async () => {
        world.person({ does: 'nothing' });
        await auth.revokeEverything();
        const call = session.call('read', {}, { timeout: 55_000 }).then(() => null, error => error);
        const status = await until('status tells of it', async () => {
            const status = await world.status();
            return status.state === 'waiting for the person' && status;
        });
        assert.match(status.askedBecause, /the sign-in is over: .*invalid_grant/);
        const error = await within(52_000, call);
        assert.match(error.message, /wants you to sign in.*open http/s);
        assert.match(error.data.cause, /the sign-in is over: .*invalid_grant/);
    }, 60_000);
    await steps.step('logout while it waits: the next call begins anew', async () => {
        await world.run('logout');
        // Calls until then wait for the page that was taken back.
        await until('the bridge notices', () => world.log.match(/nobody is signed in to .* taken back/));
        world.person({ does: 'approve' });
        const pages = world.pages.length;
        assert.equal(text(await session.call('read')), 'done: read');
        assert.equal(world.pages.length, pages + 1, 'pages');
        await session.close();
        session.assertAnsweredOnce();
    }, 40_000);
}
