// A client on the `ws` package, the counterpart of `wscope serve` in the tests.
//
//   client.mjs echo URL     return every message until the server closes
//   client.mjs check URL    send text, an empty message, binary, 1 MiB and a ping to an echo server;
//                           print what came back, one JSON object a line, and close with 4321
//   client.mjs say URL TEXT send TEXT, print what comes until the server closes
//
// install.sh puts `ws` below target/.

import { createRequire } from 'node:module';

const peers = new URL('../../../target/peers/node/', import.meta.url);
const WebSocket = createRequire(peers)('ws');

const [mode, url, text] = process.argv.slice(2);
const socket = new WebSocket(url, {
  maxPayload: 64 << 20,
  perMessageDeflate: false,
  handshakeTimeout: 10_000,
});
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
const failed = (error) => {
  print({ error: error.message });
  process.exitCode = 1;
};

socket.on('close', (code, reason) => {
  if (mode !== 'echo') print({ closed: code, reason: reason.toString() });
});

if (mode === 'echo') {
  socket.on('error', () => {}); // Broken frames are what the cases are made of.
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
} else if (mode === 'say') {
  socket.on('error', failed);
  socket.on('open', () => socket.send(text));
  socket.on('message', (data) => print({ text: data.toString() }));
} else {
  socket.on('error', failed);
  check();
}

function check() {
  const large = 'x'.repeat(1 << 20);
  const sent = ['hello', '', Buffer.from([0, 255, 254, 1]), large];
  let received = 0;
  socket.on('open', () => sent.forEach((message) => socket.send(message)));
  socket.on('message', (data, isBinary) => {
    const expected = Buffer.from(sent[received]);
    const binary = typeof sent[received] !== 'string';
    print({ size: data.length, binary: isBinary, same: isBinary === binary && data.equals(expected) });
    received += 1;
    if (received === sent.length) socket.ping('are you there');
  });
  socket.on('pong', (data) => {
    print({ pong: data.toString() });
    socket.close(4321, 'done');
  });
}
