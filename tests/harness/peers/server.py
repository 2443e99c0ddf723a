"""A server on python `websockets` whose paths do what their name says, as in server.mjs.

It prints the port that it listens on, then `connection PATH`, `text "DATA"`, `binary HEX` and
`close CODE "REASON"` as they come, and ends with its stdin.
"""

import asyncio
import http
import json
import re
import socket
import struct
import sys
import urllib.parse

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

HOSTILE = "\x1b[2J\x1b[31mred\x1b]0;PWNED\x07\x9b2J\u202eevil\u200b\x7f"


async def echo(connection, _query):
    async for message in received(connection):
        await connection.send(message)


async def slow(connection, _query):
    async for message in received(connection):
        await asyncio.sleep(0.5)
        await connection.send(message)


async def close(connection, query):
    await connection.close(number(query, "code", 1000), query.get("reason", ""))


async def close_after(connection, query):
    async for message in received(connection):
        await connection.send(message)
        await close(connection, query)


async def abort(connection, _query):
    stream = connection.transport.get_extra_info("socket")
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()


async def ansi(connection, _query):
    await connection.send(HOSTILE)
    await connection.ping(HOSTILE)
    await connection.close(4000, "\x1b[31mreason\x1b[2J")


async def binary(connection, _query):
    await connection.send(b"\xff\xfe\x00\n")


async def multiline(connection, _query):
    for text in ("line1\nline2\nline3", "second message", "", "after empty"):
        await connection.send(text)


async def big(connection, query):
    await connection.send("x" * number(query, "n", 10 << 20))


async def flood(connection, query):
    for index in range(number(query, "n", 1000)):
        await connection.send(f"message {index}")


async def silent(connection, _query):
    async for _ in received(connection):
        pass


async def headers(connection, _query):
    await connection.send(json.dumps(list(connection.request.headers.raw_items())))


ROUTES = {
    "/echo": echo,
    "/slow": slow,
    "/close": close,
    "/close-after": close_after,
    "/abort": abort,
    "/ansi": ansi,
    "/binary": binary,
    "/multiline": multiline,
    "/big": big,
    "/flood": flood,
    "/silent": silent,
    "/hdr": headers,
}


async def received(connection):
    async for message in connection:
        if isinstance(message, str):
            log("text", json.dumps(message, ensure_ascii=False))
        else:
            log("binary", message.hex())
        yield message


async def handle(connection):
    """Closes with 1000 when the route returns."""
    log("connection", connection.request.path)
    url = urllib.parse.urlsplit(connection.request.path)
    query = dict(urllib.parse.parse_qsl(url.query))
    try:
        await ROUTES[url.path](connection, query)
    except ConnectionClosed:
        pass
    finally:
        await connection.close()
        log("close", connection.close_code, json.dumps(connection.close_reason))


def refuse(connection, request):
    path = urllib.parse.urlsplit(request.path).path
    status = re.fullmatch(r"/([345]\d\d)", path)
    if status:
        code = http.HTTPStatus(int(status[1]))
        return connection.respond(code, f'{{"error":"status {code.value}"}}\n')
    if path not in ROUTES:
        return connection.respond(http.HTTPStatus.NOT_FOUND, "no such path\n")
    return None


def number(query, name, otherwise):
    return int(query.get(name, otherwise))


def log(*words):
    print(*words, flush=True)


async def main():
    async with serve(
        handle, "127.0.0.1", 0, process_request=refuse, max_size=64 << 20, compression=None
    ) as server:
        log(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
