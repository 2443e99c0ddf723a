// A chat on the `ws` package: whoever joins a room hears what the others in it say, and who comes.
// It prints the port that it listens on, then one line for each message, and ends with its stdin.
// `PORT=8080 node chat.mjs` listens there instead; `BROKEN=1` loses the sender of each message.
//
// install.sh puts `ws` below target/.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const peers = new URL('../../../target/peers/node/', import.meta.url);
const { WebSocketServer } = createRequire(peers)('ws');

const rooms = new Map();
let members = 0;

const http = createServer((request, response) => response.writeHead(426).end());
const websockets = new WebSocketServer({
  noServer: true,
  handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
});

http.on('upgrade', (request, stream, head) => {
  const { pathname, searchParams } = new URL(request.url, 'ws://here');
  if (pathname !== '/chat' || searchParams.get('token') === 'wrong') {
    return stream.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  }
  websockets.handleUpgrade(request, stream, head, welcome);
});
http.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => log(http.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => process.exit(0));

function welcome(socket) {
  members += 1;
  const member = { id: `m${members}` };
  let others = () => [];
  log('connection', member.id);
  socket.on('message', (data, isBinary) => {
    if (isBinary) return socket.send(data);
    const message = JSON.parse(data);
    log('text', data.toString());
    if (message.type === 'join') {
      const room = rooms.get(message.room) ?? new Set();
      rooms.set(message.room, room.add(socket));
      others = () => [...room].filter((one) => one !== socket);
      socket.on('close', () => room.delete(socket));
      socket.send(JSON.stringify({ type: 'joined', room: message.room, member }));
      tell(others(), { type: 'presence', member, state: 'here' });
    } else {
      const from = process.env.BROKEN ? undefined : member.id;
      tell(others(), { type: 'message', text: message.text, from });
    }
  });
}

function tell(sockets, message) {
  for (const socket of sockets) socket.send(JSON.stringify(message));
}

function log(...words) {
  process.stdout.write(`${words.join(' ')}\n`);
}
