// A server on the `ws` package whose paths do what their name says (see ROUTES). It prints the
// port that it listens on, then `connection PATH`, `text DATA`, `binary HEX`, `ping DATA` and
// `close CODE REASON` as they come, and ends with its stdin.
//
// install.sh puts `ws` below target/.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const peers = new URL('../../../target/peers/node/', import.meta.url);
const { WebSocketServer } = createRequire(peers)('ws');

const HOSTILE = '\x1b[2J\x1b[31mred\x1b]0;PWNED\x07\x9b2J\u202eevil\u200b\x7f';

const ROUTES = {
  '/echo': (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  '/slow': (socket) => socket.on('message', (data) => setTimeout(() => socket.send(data.toString()), 500)),
  '/close': (socket, query) => socket.close(number(query, 'code', 1000), query.get('reason') ?? ''),
  '/close-after': (socket, query) => socket.on('message', (data) => {
    socket.send(data.toString());
    socket.close(number(query, 'code', 1000), query.get('reason') ?? '');
  }),
  '/nocode': (socket) => socket.close(),
  '/abort': (socket) => socket._socket.resetAndDestroy(),
  '/ansi': (socket) => {
    socket.send(HOSTILE);
    socket.ping(HOSTILE);
    socket.close(4000, '\x1b[31mreason\x1b[2J');
  },
  '/binary': (socket) => socket.send(Buffer.from([0xff, 0xfe, 0x00, 0x0a])),
  '/multiline': (socket) => {
    for (const text of ['line1\nline2\nline3', 'second message', '', 'after empty']) socket.send(text);
    socket.close();
  },
  '/big': (socket, query) => socket.send('x'.repeat(number(query, 'n', 10 << 20))),
  '/tick': (socket, query) => {
    let tick = 0;
    const timer = setInterval(() => socket.send(`{"tick":${++tick}}`), number(query, 'ms', 50));
    socket.on('close', () => clearInterval(timer));
  },
  '/flood': (socket, query) => {
    for (let i = 0, n = number(query, 'n', 1000); i < n; i += 1) socket.send(`message ${i}`);
    socket.close();
  },
  '/silent': () => {},
  '/noclose': (socket) => socket._socket.once('data', () => socket._socket.removeAllListeners('data')),
  '/hdr': (socket, _query, request) => {
    const pairs = [];
    for (let i = 0; i < request.rawHeaders.length; i += 2) pairs.push(request.rawHeaders.slice(i, i + 2));
    socket.send(JSON.stringify(pairs));
    socket.close();
  },
};

const http = createServer((request, response) => {
  response.writeHead(426).end('this is a WebSocket server\n');
});
// `foo` is spoken; anything else that is offered is passed over.
const websockets = new WebSocketServer({
  noServer: true,
  maxPayload: 64 << 20,
  perMessageDeflate: false,
  handleProtocols: (offered) => (offered.has('foo') ? 'foo' : false),
});

http.on('upgrade', (request, stream, head) => {
  const { pathname, searchParams } = new URL(request.url, 'ws://here');
  const refusal = /^\/([345]\d\d)$/.exec(pathname);
  if (refusal) return refuse(stream, Number(refusal[1]), searchParams);
  const route = ROUTES[pathname];
  if (!route) return refuse(stream, 404, searchParams);
  websockets.handleUpgrade(request, stream, head, (socket) => {
    report(socket, request.url);
    route(socket, searchParams, request);
  });
});

http.listen(0, '127.0.0.1', () => log(http.address().port));
// `WebSocketServer` and the sockets keep the process alive; whoever started it holds its stdin.
process.stdin.on('end', () => process.exit(0)).resume();

function refuse(stream, status, query) {
  const body = `{"error":"status ${status}"}\n`;
  const location = query.has('to') ? `Location: ${query.get('to')}\r\n` : '';
  stream.end(`HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\n${location}`
    + `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

function report(socket, path) {
  log('connection', path);
  socket.on('message', (data, isBinary) => {
    log(isBinary ? 'binary' : 'text', isBinary ? data.toString('hex') : JSON.stringify(data.toString()));
  });
  socket.on('ping', (data) => log('ping', JSON.stringify(data.toString())));
  socket.on('close', (code, reason) => log('close', code, JSON.stringify(reason.toString())));
  socket.on('error', (error) => log('error', error.message));
}

function number(query, name, otherwise) {
  return query.has(name) ? Number(query.get(name)) : otherwise;
}

function log(...words) {
  process.stdout.write(`${words.join(' ')}\n`);
}
