// Chat and text completions as the OpenAI API writes them.
import { randomInt, randomUUID } from "node:crypto";

export class Invalid extends Error {}

const need = (ok, message) => {
  if (!ok) throw new Invalid(message);
};

const within = (value, low, high) => value == null || (typeof value === "number" && value >= low && value <= high);

// read turns a body into what the engine takes. A call without a seed is drawn with
// one of its own: the library's would be equal for all calls of one second.
export function read(path, body) {
  need(body !== null && typeof body === "object", "the body is not a JSON object");
  const chat = path === "/v1/chat/completions";
  need(typeof body.model === "string", "model is missing");
  need(body.n == null || body.n === 1, "n other than 1 is not supported");
  need(within(body.temperature, 0, 2), "temperature must be from 0 to 2");
  need(within(body.top_p, 0, 1), "top_p must be from 0 to 1");
  need(body.seed == null || Number.isInteger(body.seed), "seed must be an integer");
  const maxTokens = (chat ? body.max_completion_tokens : null) ?? body.max_tokens;
  need(maxTokens == null || (Number.isInteger(maxTokens) && maxTokens > 0), "max_tokens must be a positive integer");
  const stop = body.stop == null ? [] : [body.stop].flat();
  need(stop.every((s) => typeof s === "string" && s !== ""), "stop must be text, or a list of it");
  return {
    chat,
    model: body.model,
    stream: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
    options: {
      prompt: chat ? promptOf(body.messages) : body.prompt ?? "",
      maxTokens,
      temperature: body.temperature ?? 1,
      topP: body.top_p ?? 1,
      seed: body.seed ?? randomInt(2 ** 32),
      stop,
    },
  };
}

// promptOf joins the texts, as the chat template of the model that the tests use does:
// it has no roles.
function promptOf(messages) {
  need(Array.isArray(messages) && messages.length > 0, "messages is missing");
  return messages.map((m) => {
    const parts = Array.isArray(m?.content) ? m.content.map((part) => part?.text) : [m?.content];
    need(parts.every((text) => typeof text === "string"), "content must be text");
    return parts.join("");
  }).join("");
}

// Answer writes one answer, whole or as a stream of events.
export class Answer {
  #call;
  #head;

  constructor(call) {
    this.#call = call;
    this.#head = {
      id: (call.chat ? "chatcmpl-" : "cmpl-") + randomUUID(),
      created: Math.floor(Date.now() / 1000),
      model: call.model,
    };
  }

  whole(text, finish, usage) {
    const choice = this.#call.chat ? { index: 0, message: { role: "assistant", content: text } } : { index: 0, text };
    const object = this.#call.chat ? "chat.completion" : "text_completion";
    return JSON.stringify({ ...this.#head, object, choices: [{ ...choice, finish_reason: finish }], usage: usageOf(usage) });
  }

  role() {
    return this.#call.chat ? this.#event([{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }]) : "";
  }

  piece(text) {
    return this.#event([{ index: 0, ...(this.#call.chat ? { delta: { content: text } } : { text }), finish_reason: null }]);
  }

  end(finish, usage) {
    const last = this.#event([{ index: 0, ...(this.#call.chat ? { delta: {} } : { text: "" }), finish_reason: finish }]);
    return last + (this.#call.includeUsage ? this.#event([], { usage: usageOf(usage) }) : "") + "data: [DONE]\n\n";
  }

  #event(choices, more = {}) {
    const object = this.#call.chat ? "chat.completion.chunk" : "text_completion";
    return `data: ${JSON.stringify({ ...this.#head, object, choices, ...more })}\n\n`;
  }
}

const usageOf = ({ prompt, completion }) => ({
  prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion,
});
