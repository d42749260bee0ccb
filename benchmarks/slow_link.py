"""TCP links that take their time: each piece arrives half of DELAY after it was sent, in both directions.

    python benchmarks/slow_link.py DELAY ADDRESS:PORT…

Prints, for each address, the port beside it on which the link begins; ends when its stdin does. It does what `tc netem`
does for a link, also where the kernel has no netem; only TCP's own opening is not held back, for nobody.
"""

from __future__ import annotations

import asyncio
import sys

PIECE = 1 << 16


async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: float) -> None:
    """Hand on what comes from the one side to the other, each piece after the delay."""
    loop = asyncio.get_running_loop()
    while piece := await source.read(PIECE):
        loop.call_later(delay, sink.write, piece)
    loop.call_later(delay, sink.close)


async def serve(delay: float, places: list[str]) -> None:
    """Run a link to each place until stdin ends."""
    for place in places:
        address, _, port = place.partition(":")
        print((await _link(delay, address, int(port))).sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _link(delay: float, address: str, port: int) -> asyncio.Server:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(address, port)
        await asyncio.gather(carry(reader, far_writer, delay / 2), carry(far_reader, writer, delay / 2))

    return await asyncio.start_server(accept, address, 0)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]), sys.argv[2:]))
