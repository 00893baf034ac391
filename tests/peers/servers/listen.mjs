// What the Node servers have in common when they serve HTTP: where they listen, how they say so,
// and when they end.
import { createServer } from "node:http";

/** Ends the process with its standard input, so that no server outlives whoever started it. */
export function endWithInput() {
  process.stdin.on("end", () => process.exit(0)).on("error", () => process.exit(0)).resume();
}

/** Says where the server can be reached, in the one line that the starter waits for. */
export function announce(port, path) {
  process.stdout.write(`listening http://127.0.0.1:${port}${path}\n`);
}

/** Serves on the loopback interface, on the port `PEER_PORT` or any that is free. */
export function listen(path, listener) {
  const server = createServer(listener);
  server.listen(Number(process.env.PEER_PORT ?? 0), "127.0.0.1", () =>
    announce(server.address().port, path),
  );
  endWithInput();
}
