// A browser without a person: goes where the page of a sign-in leads, and back. Ends like a browser that was closed.
// usage: browser.mjs URL, with BROWSER_LOG naming the file that gets a line for each page: its status and address.
import { appendFileSync } from 'node:fs';

const MAX_PAGES = 10;
const log = process.env.BROWSER_LOG;
let url = process.argv[2];
for (let pages = 0; url && pages < MAX_PAGES; pages++) {
    const response = await fetch(url, { redirect: 'manual' });
    const page = await response.text();
    if (log) appendFileSync(log, `${response.status} ${url}\n`);
    const next = response.headers.get('location') ?? refresh(page);
    url = next && new URL(next, url).href;
}

/** Where a page leads on to by itself. */
function refresh(page) {
    const escaped = page.match(/<meta http-equiv="refresh" content="0; url=([^"]*)">/)?.[1];
    return escaped?.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(code)).replaceAll('&amp;', '&');
}
