"""Runs cases of the Autobahn suite against a WebSocket server that echoes, and prints a line for each.

    python autobahn.py ws://127.0.0.1:8080/api/v1/ws "1.*" "2.*"

A line is `number behaviour, behaviour at the close`, in the suite's own words. What they mean is for the caller to judge.
"""

import asyncio
import sys

from kosoku import FailureError, run_fuzzingclient

AT_ONCE = 8


async def main(url: str, cases: list[str]) -> None:
    try:
        results = await run_fuzzingclient(url, cases, None, AT_ONCE)
    except FailureError as failure:
        results = failure.results
    for result in results:
        print(f"{result.case_id} {result.behavior.value}, {result.behavior_close.value}")


asyncio.run(main(sys.argv[1], sys.argv[2:]))
