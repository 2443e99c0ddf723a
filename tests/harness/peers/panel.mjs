// The network panel of Chromium's developer tools, driven by playwright-core: what a person does with
// "Export HAR" and "Import HAR file".
//
//   panel.mjs URL OUT IN   a page talks with the echo at URL; saves that to OUT, opens IN, prints what
//                          the panel has of its WebSockets, one JSON object a line
//
// install.sh puts playwright-core below target/; Chromium is the system's.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const peers = new URL('../../../target/peers/node/', import.meta.url);
const { chromium } = createRequire(peers)('playwright-core');
const [url, out, ours] = process.argv.slice(2);

const server = createServer((_, response) => {
  response.setHeader('content-type', 'text/html');
  response.end('<title>a page</title>');
}).listen(0, '127.0.0.1');
await once(server, 'listening');

const profile = await mkdtemp(join(tmpdir(), 'panel-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--remote-debugging-port=0', '--remote-allow-origins=*'],
});
try {
  const [debugging] = (await readFile(join(profile, 'DevToolsActivePort'), 'utf8')).split('\n');
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');

  const tools = await context.newPage();
  await tools.goto('devtools://devtools/bundled/devtools_app.html?panel=network'
    + `&ws=127.0.0.1:${debugging}/devtools/page/${targetInfo.targetId}`);
  const isReady = () => tools.evaluate(async () => {
    try {
      const sdk = await import('./core/sdk/sdk.js');
      const network = await import('./panels/network/network.js');
      window.log = (await import('./models/logs/logs.js')).NetworkLog.NetworkLog.instance();
      window.panel = network.NetworkPanel.NetworkPanel.instance();
      return Boolean(window.panel) && sdk.TargetManager.TargetManager.instance().primaryPageTarget() !== null;
    } catch {
      return false;
    }
  });
  // A poll of playwright's would take the promise for the answer.
  while (!await isReady()) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  // The panel is there before it listens: a page that it has missed is opened again.
  const isSeen = () => tools.waitForFunction(() => window.log.requests().length > 0, null, { timeout: 2000 })
    .then(() => true, () => false);
  do {
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
  } while (!await isSeen());
  await page.evaluate(async (url) => {
    const socket = new WebSocket(url);
    const next = (event) => new Promise((resolve) => socket.addEventListener(event, resolve, { once: true }));
    await next('open');
    for (const message of ['{"type":"hi","token":"hunter2"}', new Uint8Array([0, 255])]) {
      const answer = next('message');
      socket.send(message);
      await answer;
    }
    socket.close(1000, 'bye');
    await next('close');
  }, url);
  await tools.waitForFunction(() => window.log.requests().some((request) => request.frames().length === 4));
  const saved = await tools.evaluate(async () => {
    const { Writer } = (await import('./models/har/har.js')).Writer;
    const { Progress } = (await import('./core/common/common.js')).Progress;
    const chunks = [];
    const stream = { write: async (chunk) => { chunks.push(chunk); }, close: async () => {} };
    await Writer.write(stream, window.log.requests(), { sanitize: false }, new Progress());
    return chunks.join('');
  });
  await writeFile(out, saved);

  const text = await readFile(ours, 'utf8');
  const shown = await tools.evaluate(async (text) => {
    await window.panel.networkLogView.onLoadFromFile(new File([text], 'ours.har'));
    return window.log.requests().map((request) => ({
      url: request.url(),
      type: request.resourceType().name(),
      status: request.statusCode,
      frames: request.frames().map((frame) => `${frame.type} ${frame.opCode} ${frame.text}`),
    }));
  }, text);
  shown.forEach((request) => process.stdout.write(`${JSON.stringify(request)}\n`));
  process.stdout.write('done\n');
} finally {
  await context.close();
  server.close();
  await rm(profile, { recursive: true, force: true });
}
