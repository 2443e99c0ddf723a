// The test page of `wscope serve` in headless Chromium, driven by playwright-core.
//
//   page.mjs URL     loads the page at URL (a server with --mode rooms), talks, prints what it saw,
//                    one JSON object a line, and ends when its stdin does
//
// install.sh puts playwright-core below target/; Chromium is the system's.

import { createRequire } from 'node:module';
import { once } from 'node:events';

const peers = new URL('../../../target/peers/node/', import.meta.url);
const { chromium } = createRequire(peers)('playwright-core');

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
page.on('pageerror', (error) => print({ error: error.message }));
page.on('console', (message) => {
  if (message.type() === 'error') print({ console: message.text() });
});
page.on('request', (request) => {
  if (new URL(request.url()).origin !== new URL(process.argv[2]).origin) print({ request: request.url() });
});

const state = () => page.textContent('#state');
const logged = (text) => page.waitForFunction(
  (wanted) => document.querySelector('#log').textContent.includes(wanted), text);

await page.goto(process.argv[2]);
print({ title: await page.title(), state: await state() });
await page.click('#connect');
await page.waitForFunction(() => document.querySelector('#state').dataset.state === '1');
print({ state: await state() });
await page.fill('#room', 'lobby');
await page.click('#join');
await page.waitForSelector('#joined button');
print({ rooms: await page.textContent('#joined') });

await page.click('[data-tab=json]');
await page.fill('#json', '{"type":"message","room":"lobby","text":"from the page"}');
await page.click('#send');
await page.fill('#json', '{"type":');
await page.click('#send');
await page.waitForFunction(() => document.querySelector('#send-hint').classList.contains('bad'));
print({ refused: await page.textContent('#send-hint') });
await page.click('[data-tab=text]');
await page.fill('#text', 'ping');
await page.press('#text', 'Enter');
await logged('pong');
await page.click('[data-tab=binary]');
await page.fill('#binary', '00 ff 7f');
await page.click('#send');
await page.click('[data-tab=file]');
await page.setInputFiles('#file', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.alloc(150_000, 'x') });
await page.click('#send');
await logged('notes.txt in chunks');

// What others say is text, whatever it looks like.
await logged('<img src=x onerror=alert(1)>');
print({ images: await page.locator('img').count() });
if (process.argv[3]) await page.screenshot({ path: process.argv[3] });
print({ ready: true });

// The server is stopped now, and the page counts down to its next try.
await page.waitForFunction(() => document.querySelector('#state').dataset.state === '3');
await page.waitForFunction(() => document.querySelector('#connect-hint').textContent.startsWith('retry 1'));
print({ state: await state(), retry: true });
process.stdin.resume();
await once(process.stdin, 'end');
await browser.close();
