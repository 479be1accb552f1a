// A backend that answers with the claims it verified. It prints its address,
// reads whom to believe from stdin, and ends with it.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { verifier } from "./verify.mjs";

let verify = () => Promise.reject(new Error("nobody to believe yet"));

const server = createServer(async (request, response) => {
  request.resume();
  try {
    response.end(JSON.stringify(await verify(request)));
  } catch (error) {
    response.writeHead(401, { "Content-Type": "text/plain" }).end(error.code ?? error.message);
  }
});
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })));

createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { gateway, audience } = JSON.parse(line);
    verify = verifier(gateway, audience);
    console.log(JSON.stringify({ ready: true }));
  })
  .on("close", () => process.exit());
