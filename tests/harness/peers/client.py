"""A client on python `websockets`, the counterpart of `wscope serve` in the tests.

    client.py check URL     as client.mjs: send to an echo server, tell what came back, close
    client.py say URL TEXT  send TEXT, print what comes until the server closes
"""

import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


async def check(connection):
    for message in ("hello", "", b"\x00\xff\xfe\x01", "x" * (1 << 20)):
        await connection.send(message)
        reply = await connection.recv()
        tell(size=len(reply), binary=isinstance(reply, bytes), same=reply == message)
    payload = "are you there"
    await (await connection.ping(payload))
    tell(pong=payload)
    await connection.close(4321, "done")


async def say(connection, text):
    await connection.send(text)
    async for message in connection:
        tell(text=message)


def tell(**values):
    print(json.dumps(values, separators=(",", ":")), flush=True)


async def main():
    mode, url, *rest = sys.argv[1:]
    conversation = {"check": check, "say": say}[mode]
    async with connect(url, compression=None, max_size=64 << 20, proxy=None) as connection:
        try:
            await conversation(connection, *rest)
        except ConnectionClosed:
            pass
        tell(closed=connection.close_code, reason=connection.close_reason)


asyncio.run(main())
