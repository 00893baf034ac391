// Starts @modelcontextprotocol/server-everything over HTTP, as it is. It cannot say which free port
// it got, listens on every interface, and talks on standard output: this file mends the three, from
// outside, and touches nothing of what it serves.
import { Server } from "node:net";
import { announce, endWithInput } from "./listen.mjs";

const path = process.argv[2] === "sse" ? "/sse" : "/mcp";
const listen = Server.prototype.listen;
Server.prototype.listen = function (_port, ...rest) {
  this.once("listening", () => announce(this.address().port, path));
  return listen.call(this, Number(process.env.PEER_PORT ?? 0), "127.0.0.1", ...rest);
};
console.log = console.error;

endWithInput();
await import("@modelcontextprotocol/server-everything/dist/index.js");
