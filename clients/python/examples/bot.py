"""A Tidings bot that answers every post with !echo in it:  TIDINGS_TOKEN=tid_… python bot.py http://127.0.0.1:8080
How to make the bot and its token: docs/bots.md"""
import asyncio, json, os, sys, uuid
from websockets import ConnectionClosedError, connect

URL, TOKEN = sys.argv[1].rstrip("/"), os.environ["TIDINGS_TOKEN"]

async def main():
    me, cursor = None, None
    async for socket in connect(URL.replace("http", "ws", 1) + "/api/v1/ws", subprotocols=["tidings.v1.json"]):
        async def ask(number, method, **params):
            await socket.send(json.dumps({"id": number, "method": method, "params": params}))
        try:
            await ask(1, "hello", token=TOKEN, client="echo-bot/1.0", feeds=["global"], cursor=cursor)
            async for text in socket:
                frame = json.loads(text)
                posts = [frame["data"]] if frame.get("event") in ("post.created", "post.updated") else []
                if frame.get("id") == 1 and "result" in frame:
                    me = frame["result"]["user"]["id"]
                    for feed in frame["result"]["feeds"]:
                        posts += feed.get("posts", [])  # a first snapshot, or one in place of too long a gap
                for post in posts:
                    if "!echo" in post["text"] and post["author"]["id"] != me:
                        answer = str(uuid.uuid5(uuid.UUID(post["id"]), me))  # same post, same id: never answered twice
                        await ask(2, "comment.create", id=answer, post=post["id"], text="You said: " + post["text"][:1900])
                if "seq" in frame: cursor = f"{cursor.rsplit('-', 1)[0]}-{frame['seq']}"  # where we are, for the next hello
                cursor = frame.get("cursor") or (frame.get("result") or {}).get("cursor") or cursor
        except ConnectionClosedError as end:  # 44xx: the token has ended; 45xx: give up; all else: come back
            if end.rcvd and 4400 <= end.rcvd.code < 4600: sys.exit(f"the server says {end.rcvd.code} {end.rcvd.reason}")

asyncio.run(main())
