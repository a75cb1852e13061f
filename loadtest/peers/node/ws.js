// npm `ws`, as in its README's broadcast: a loop over the clients, each sent the same text.
import { WebSocketServer, WebSocket } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  const { address, port } = server.address();
  console.log(`${address}:${port}`);
});

server.on("connection", (speaker) => {
  speaker.on("message", (event, isBinary) => {
    for (const listener of server.clients) {
      if (listener !== speaker && listener.readyState === WebSocket.OPEN) {
        listener.send(event, { binary: isBinary });
      }
    }
  });
});
