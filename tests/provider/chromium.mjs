// A person with a browser: opens the address in Chromium and clicks through the provider's pages.
// usage: chromium.mjs DIRECTORY URL     `--browser 'node …/chromium.mjs DIRECTORY %s'`
//
// In DIRECTORY: `person.json` says what the person does ({"does": "approve" | "deny" | "nothing", "code": user code,
// "stopsAt": path whose host this browser can't reach}),
// `pages.log` gets one line for each address that was opened, `last-TURN.json` the page that it ended at, `pictures/` a
// picture of each page.
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from '../sdk/tools.mjs';

const { default: puppeteer } = await import(resolve('puppeteer-core/lib/puppeteer/puppeteer-core.js'));

const [directory, url] = process.argv.slice(2);
const person = JSON.parse(readFileSync(`${directory}/person.json`, 'utf8'));
const last = `${directory}/last-${person.turn}.json`;
appendFileSync(`${directory}/pages.log`, `${url}\n`);
if (person.does === 'nothing') process.exit(0);
mkdirSync(`${directory}/pictures`, { recursive: true });

/** A browser with a profile of its own, so that the provider's session outlives it. */
const launched = () =>
    puppeteer.launch({
        executablePath: '/usr/bin/chromium',
        userDataDir: `${directory}/profile`,
        // The provider's pages name a font of another host.
        args: [
            '--no-sandbox',
            '--disable-gpu',
            '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
        ],
    });

const selectors = {
    login: 'input[name=login]',
    code: 'form[id="op.deviceInputForm"]',
    confirm: 'form[id="op.deviceConfirmForm"]',
    consent: 'input[name=prompt][value=consent]',
};

/** What stands on the page now. Some of the provider's pages submit themselves: then it is looked again. */
async function kind(page) {
    for (let look = 0; ; look += 1) {
        try {
            const found = selectors => Object.keys(selectors).find(name => document.querySelector(selectors[name]));
            return (await page.evaluate(found, selectors)) ?? 'end';
        } catch (error) {
            if (look === 50) throw error;
            await new Promise(resolve => setTimeout(resolve, 100));
        }
    }
}

/** Does what the person does, and says whether the page is left by that. */
async function act(page) {
    const seen = await kind(page);
    await picture(page, seen);
    const left = () => page.waitForNavigation({ timeout: 10_000 });
    const leave = click => Promise.all([person.stopsAt ? left().catch(() => {}) : left(), click]);
    const deny = person.does === 'deny';
    switch (seen) {
        case 'login':
            await page.type('input[name=login]', 'ada');
            await page.type('input[name=password]', 'engine');
            await leave(page.click('button[type=submit]'));
            return true;
        case 'code':
            if (person.code) await page.type('input[name=user_code]', person.code);
            await leave(page.click('button[type=submit]'));
            return true;
        case 'confirm':
            await leave(page.click(deny ? 'button[name=abort]' : 'button[autofocus]'));
            return !deny;
        case 'consent':
            await leave(deny ? page.click('a[href$="/abort"]') : page.click('button[type=submit]'));
            return true;
        default:
            return false;
    }
}

let pictures = 0;
async function picture(page, name) {
    pictures += 1;
    const began = Date.now();
    await page.screenshot({ path: `${directory}/pictures/${began}-${pictures}-${name}.png` });
}

let browser;
try {
    browser = await launched();
    const page = await browser.newPage();
    let full;
    if (person.stopsAt) {
        await page.setRequestInterception(true);
        page.on('request', request => {
            if (new URL(request.url()).pathname !== person.stopsAt) return request.continue();
            full = request.url();
            return request.abort('addressunreachable');
        });
    }
    await page.setViewport({ width: 900, height: 640 });
    await page.goto(url, { waitUntil: 'load', timeout: 10_000 });
    // The first page of bridge leads on by itself.
    if (new URL(page.url()).pathname.startsWith('/sign-in/')) {
        await page.waitForNavigation({ timeout: 5_000 }).catch(() => {});
    }
    for (let step = 0; step < 8 && (await act(page)); step += 1);
    const text = await page.evaluate(() => document.body.innerText);
    const ended = { address: page.url().split('?')[0], title: await page.title(), text };
    if (full) ended.full = full;
    writeFileSync(`${last}.part`, JSON.stringify(ended));
    renameSync(`${last}.part`, last);
} catch (error) {
    writeFileSync(last, JSON.stringify({ error: String(error?.stack ?? error) }));
} finally {
    await browser?.close();
}
