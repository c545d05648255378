// The bridge as a person in a terminal uses it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { assertBridgeLeftCleanly } from '../sdk/typescript/session.mjs';

const chromium = fileURLToPath(new URL('chromium.mjs', import.meta.url));

/** The person opens an address by themselves. */
async function open(world, url) {
    const child = spawn(process.execPath, [chromium, world.directory, url], { stdio: 'ignore' });
    await new Promise(resolve => child.on('close', resolve));
    return world.lastPage();
}

async function assertStatus(world, state, human) {
    const { code, out } = await world.run('status');
    if (state === null) {
        assert.equal(code, 3, out);
        assert.equal((await world.status()).state, 'nobody is signed in');
        return;
    }
    assert.equal(code, 0, out);
    assert.match(out, human);
    const status = await world.status();
    assert.equal(status.state, state);
    assert.equal(status.issuer, world.auth.issuer);
}

async function logOut(world) {
    const before = world.auth.fromHere();
    const { code, err } = await world.run('logout');
    assert.equal(code, 0, err);
    assert.match(err, /You are signed out of 127\.0\.0\.1/);
    return before;
}

export async function inATerminal(steps, world) {
    const { auth } = world;
    const { url } = world.server;
    await steps.step('before: status says that nobody is signed in', () => assertStatus(world, null));
    await steps.step('login by a device code, which Chromium types', async () => {
        const login = world.begin('login', '--device');
        const [, code] = await login.said(/enter the code\s+(\S+)/);
        const [, page] = await login.said(/open\s+(http\S+)/);
        world.person({ does: 'approve', code });
        assert.match((await open(world, page)).text, /Sign-in Success/);
        const { code: exit, err } = await login.ended;
        assert.equal(exit, 0, err);
        assert.match(err, /You are signed in to 127\.0\.0\.1/);
        await assertStatus(world, 'signed in', /signed in/);
        const session = world.client();
        await session.connect();
        assert.equal((await session.call('read')).content[0].text, 'done: read');
        await session.close();
        assertBridgeLeftCleanly(session.directory);
    }, 40_000);
    await steps.step('logout has the tokens revoked', async () => {
        const before = await logOut(world);
        assert.ok(before.requests.filter(each => each === 'POST /token/revocation').length >= 1, before.requests.join());
        for (const secret of auth.secrets) {
            assert.equal(await auth.provider.AccessToken.find(secret), undefined, 'an access token lives on');
            assert.equal(await auth.provider.RefreshToken.find(secret), undefined, 'a refresh token lives on');
        }
        await assertStatus(world, null);
    });
    await steps.step('a device code that is refused: the error says so', async () => {
        const login = world.begin('login', '--device');
        const [, page] = await login.said(/holds the code:\s+(http\S+)/);
        world.person({ does: 'deny' });
        await open(world, page);
        const { code, err } = await login.ended;
        assert.notEqual(code, 0);
        assert.match(err, /declined|denied/);
        // Nothing was earned, and nothing is left.
        await assertStatus(world, null);
    }, 40_000);
    await steps.step('login --no-browser, and the address is pasted back', async () => {
        const login = world.begin('login', '--no-browser');
        const [, page] = await login.said(/sign in:\s+(http\S+)/);
        assert.ok(page.startsWith(auth.issuer), page);
        // On another machine the browser can't reach the listener; here it would.
        world.person({ does: 'approve' });
        const location = await withoutListener(world, page);
        login.write(`${location}\n`);
        const { code, err } = await login.ended;
        assert.equal(code, 0, err);
        await assertStatus(world, 'signed in', /signed in/);
        await logOut(world);
    }, 40_000);
    await steps.step('login in the browser; the next start is silent', async () => {
        world.person({ does: 'approve' });
        const { code, err } = await world.run('login', '--browser', world.browser);
        assert.equal(code, 0, err);
        assert.match((await world.lastPage()).title, /You are signed in/);
        const again = await world.run('login', '--browser', world.browser);
        assert.match(again.err, /already/);
        await logOut(world);
    }, 40_000);
    await steps.step('a denial on the consent page: the error says so, and the page says so', async () => {
        world.person({ does: 'deny' });
        const { code, err } = await world.run('login', '--browser', world.browser);
        assert.notEqual(code, 0);
        assert.match(err, /declined|denied/);
        const { title, text } = await world.lastPage();
        assert.match(title, /You are not signed in/);
        assert.match(text, /declined/);
        assert.match(text, new RegExp(`bridge login ${url}`));
    }, 40_000);
    const asksAgain = async told => {
        world.person({ does: 'approve' });
        const pages = world.pages.length;
        const session = world.client();
        await session.connect();
        assert.equal((await session.call('read')).content[0].text, 'done: read');
        assert.equal(world.pages.length, pages + 1, 'pages');
        await assertStatus(world, 'signed in', /signed in/);
        await session.close();
        assertBridgeLeftCleanly(session.directory, told);
    };
    const asked = /wants you to sign in: open/;
    await steps.step('after the denial, a call asks again', () => asksAgain([/nobody is signed in .*denied/, asked]), 40_000);
    await steps.step('after a logout, the next start asks again', async () => {
        await logOut(world);
        await asksAgain([asked]);
    }, 40_000);
}

/** The address that the browser would have been sent to, without going there. */
async function withoutListener(world, page) {
    world.person({ does: 'approve', stopsAt: '/oauth/callback' });
    return (await open(world, page)).full;
}
