// npm `socket.io`: what one client emits is broadcast to the others, over WebSocket alone.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
// The heartbeat stays out of the measurement, as with the others, which have none.
const io = new Server(http, { transports: ["websocket"], pingInterval: 3_600_000 });

io.on("connection", (speaker) => {
  speaker.on("post", (post) => speaker.broadcast.emit("post", post));
});

http.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
  const { address, port } = http.address();
  console.log(`${address}:${port}`);
});
