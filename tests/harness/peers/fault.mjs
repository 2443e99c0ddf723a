// A client that says what a faulty server does to it, one JSON object a line.
//
//   fault.mjs ws|undici URL         send "hello", and "again" when that has come back; then hear the server
//   fault.mjs ws|undici URL close   send "hello", and close with 1000 when that has come back
//   fault.mjs ws|undici URL deflate   as the first, and offer compression (undici always does)
//
// Both clients are used through the interface of the HTML standard, which both have. install.sh puts
// them below target/.

import { createRequire } from 'node:module';

const require = createRequire(new URL('../../../target/peers/node/', import.meta.url));
const [implementation, url, then] = process.argv.slice(2);
const print = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

function connect() {
  if (implementation === 'undici') return new (require('undici').WebSocket)(url);
  const options = { perMessageDeflate: then === 'deflate', handshakeTimeout: 3000, closeTimeout: 1000 };
  return new (require('ws'))(url, options);
}

const socket = connect();
socket.binaryType = 'arraybuffer';
socket.addEventListener('open', () => {
  print({ opened: true });
  socket.send('hello');
});
socket.addEventListener('message', ({ data }) => {
  print({ heard: typeof data === 'string' ? data : 'binary' });
  if (data !== 'hello') return;
  if (then === 'close') socket.close(1000);
  else socket.send('again');
});
socket.addEventListener('error', () => print({ error: true }));
socket.addEventListener('close', ({ code }) => {
  print({ told: code });
  process.exit(0);
});
setTimeout(() => {
  print({ waits: true });
  process.exit(0);
}, 5000);
