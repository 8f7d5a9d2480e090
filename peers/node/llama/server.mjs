// A small server of the OpenAI API around the model that LLMIDEM_TEST_MODEL names. It
// ignores idempotency keys, as the large services do, and tells by GET /ledger which
// came and what was generated.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { announce } from "../life.mjs";
import { Engine, TooLong } from "./engine.mjs";
import { Answer, Invalid, read } from "./wire.mjs";

const { values: flags } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    parallel: { type: "string", default: "4" }, // generations at once; more wait
    pace: { type: "string", default: "0" }, // milliseconds between tokens
  },
});
const ledger = { keys: [], generations: 0, prompt_tokens: 0, completion_tokens: 0 };
const engine = await Engine.load({
  modelPath: process.env.LLMIDEM_TEST_MODEL, parallel: Number(flags.parallel), pace: Number(flags.pace),
});

const server = createServer((req, res) => handle(req, res).catch((err) => fail(res, err)));
server.listen(Number(flags.port), "127.0.0.1", () => announce(`http://127.0.0.1:${server.address().port}`));

async function handle(req, res) {
  if (req.method === "GET" && req.url === "/ledger") return send(res, 200, JSON.stringify(ledger));
  if (req.method !== "POST" || !["/v1/chat/completions", "/v1/completions"].includes(req.url)) {
    return send(res, 404, failure("there is no such path", "unknown_url"));
  }
  ledger.keys.push(req.headers["idempotency-key"] ?? "");
  const call = read(req.url, await bodyOf(req));
  const gone = new AbortController();
  res.on("close", () => gone.abort());
  if (call.stream) await stream(res, call, gone.signal);
  else await whole(res, call, gone.signal);
}

async function whole(res, call, signal) {
  let text = "";
  const { finish, usage } = await generate(call, signal, (piece) => { text += piece; });
  send(res, 200, new Answer(call).whole(text, finish, usage));
}

async function stream(res, call, signal) {
  const answer = new Answer(call);
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    res.writeHead(200, { "content-type": "text/event-stream" });
    res.write(answer.role());
  };
  const { finish, usage } = await generate(call, signal, (piece) => {
    begin();
    res.write(answer.piece(piece));
  });
  begin();
  res.end(answer.end(finish, usage));
}

async function generate(call, signal, onText) {
  const done = await engine.generate(call.options, { onText, signal, onBegin: () => ledger.generations++ });
  ledger.prompt_tokens += done.usage.prompt;
  ledger.completion_tokens += done.usage.completion;
  return done;
}

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    throw new Invalid("the body is not JSON");
  }
}

function fail(res, err) {
  const foreseen = err instanceof Invalid || err instanceof TooLong;
  if (!foreseen) console.error(err);
  if (res.headersSent) return res.destroy();
  if (!foreseen) return send(res, 500, failure("the model failed", "server_error", "server_error"));
  return send(res, 400, failure(err.message, err instanceof TooLong ? "context_length_exceeded" : null));
}

const failure = (message, code, type = "invalid_request_error") => JSON.stringify({ error: { message, type, param: null, code } });

function send(res, status, body) {
  res.writeHead(status, { "content-type": "application/json" }).end(body);
}
