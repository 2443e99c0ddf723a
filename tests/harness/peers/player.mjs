// A WebSocket that a test talks through: each line of stdin is sent, each message that comes is a line of
// stdout, after `open`.
//
//   player.mjs node URL      on the `ws` package
//   player.mjs browser URL   that of headless Chromium, on the server's own page
//
// install.sh puts `ws` and playwright-core below target/; Chromium is the system's.

import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(new URL('../../../target/peers/node/', import.meta.url));
const [kind, url] = process.argv.slice(2);
const print = (line) => process.stdout.write(`${line}\n`);

const send = await (kind === 'browser' ? inBrowser() : inNode());
createInterface({ input: process.stdin }).on('line', send).on('close', () => process.exit(0));

async function inNode() {
  const WebSocket = require('ws');
  const socket = new WebSocket(url);
  socket.on('open', () => print('open'));
  socket.on('message', (data) => print(data));
  socket.on('close', (code) => print(`close ${code}`));
  return (line) => socket.send(line);
}

async function inBrowser() {
  const { chromium } = require('playwright-core');
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  const page = await browser.newPage();
  await page.goto(new URL('/', url.replace(/^ws/, 'http')).href);
  await page.exposeFunction('print', print);
  await page.evaluate((url) => {
    window.socket = new WebSocket(url);
    window.socket.onopen = () => window.print('open');
    window.socket.onmessage = (event) => window.print(event.data);
    window.socket.onclose = (event) => window.print(`close ${event.code}`);
  }, url);
  return (line) => page.evaluate((line) => window.socket.send(line), line);
}
