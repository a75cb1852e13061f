"""A Tidings bot that answers every post with !echo in it:  python bot.py http://127.0.0.1:8080 echo_bot "a long password" """
import asyncio, json, sys, urllib.error, urllib.request, uuid
from websockets import ConnectionClosedError, connect

URL, HANDLE, PASSWORD = sys.argv[1].rstrip("/"), sys.argv[2], sys.argv[3]

def log_in():
    def post(path, **body):
        request = urllib.request.Request(URL + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request, timeout=30))["access_token"]
    try:
        return post("/api/v1/users", handle=HANDLE, email=f"{HANDLE}@example.org", password=PASSWORD)
    except urllib.error.HTTPError as refused:
        if refused.code != 409: raise  # 409: the handle is taken, by this bot in an earlier life
        return post("/api/v1/auth/login", login=HANDLE, password=PASSWORD)

async def main():
    token = cursor = None
    async for socket in connect(URL.replace("http", "ws", 1) + "/api/v1/ws", subprotocols=["tidings.v1.json"]):
        async def ask(number, method, **params):
            await socket.send(json.dumps({"id": number, "method": method, "params": params}))
        try:
            token = token or await asyncio.to_thread(log_in)
            await ask(1, "hello", token=token, client="echo-bot/1.0", feeds=["global"], cursor=cursor)
            async for text in socket:
                frame = json.loads(text)
                posts = [frame["data"]] if frame.get("event") in ("post.created", "post.updated") else []
                for feed in frame["result"]["feeds"] if frame.get("id") == 1 and "result" in frame else []:
                    posts += feed.get("posts", [])  # a first snapshot, or one in place of too long a gap
                for post in posts:
                    if "!echo" in post["text"] and post["author"]["handle"] != HANDLE:
                        answer = str(uuid.uuid5(uuid.UUID(post["id"]), HANDLE))  # same post, same id: never answered twice
                        await ask(2, "comment.create", id=answer, post=post["id"], text="You said: " + post["text"][:1900])
                if "seq" in frame: cursor = f"{cursor.rsplit('-', 1)[0]}-{frame['seq']}"  # where we are, for the next hello
                cursor = frame.get("cursor") or frame.get("result", {}).get("cursor") or cursor
        except ConnectionClosedError as end:
            if end.rcvd and 4400 <= end.rcvd.code < 4500: token = None  # 44xx: log in again; 45xx: give up
            if end.rcvd and 4500 <= end.rcvd.code < 4600: sys.exit(f"the server says {end.rcvd.code} {end.rcvd.reason}")

asyncio.run(main())
