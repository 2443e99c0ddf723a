// A report of `wscope bench` in headless Chromium, driven by playwright-core.
//
//   report.mjs FILE [PICTURES]   opens the file at two widths, in light and dark; prints what it saw, one
//                                JSON object a line; with PICTURES puts screenshots into that folder
//
// install.sh puts playwright-core below target/; Chromium is the system's.

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const peers = new URL('../../../target/peers/node/', import.meta.url);
const { chromium } = createRequire(peers)('playwright-core');
const [file, pictures] = process.argv.slice(2);
const url = pathToFileURL(file).href;

const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
for (const width of [1280, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.on('pageerror', (error) => print({ error: error.message }));
    page.on('console', (message) => print({ console: message.text() }));
    page.on('request', (request) => {
      if (request.url() !== url) print({ request: request.url() });
    });
    await page.goto(url);
    print(await page.evaluate(() => ({
      title: document.title,
      scripts: document.scripts.length,
      figures: [...document.querySelectorAll('figcaption')].map((caption) => caption.textContent),
      // Nothing is wider than the window but what scrolls by itself.
      overflow: document.documentElement.scrollWidth > document.documentElement.clientWidth,
      background: getComputedStyle(document.body).backgroundColor,
      text: document.body.innerText,
    })));
    if (pictures) await page.screenshot({ path: join(pictures, `${width}-${colorScheme}.png`), fullPage: true });
    await page.close();
  }
}
await browser.close();
print({ done: true });
