// A language model in this process, on its CPU.
import { getLlama } from "node-llama-cpp";

// TooLong is a prompt that leaves no room for an answer.
export class TooLong extends Error {}

export class Engine {
  #model;
  #context;
  #pace;
  #waiting = [];
  #free;

  // The library is the prebuilt one, which picks the code for the processor it finds;
  // nothing is downloaded or built, nor is anything written to standard output.
  static async load({ modelPath, parallel, pace }) {
    const logger = (level, message) => process.stderr.write(`${level}: ${message}\n`);
    const llama = await getLlama({ gpu: false, build: "never", skipDownload: true, progressLogs: false, logLevel: "error", logger });
    const engine = new Engine();
    engine.#model = await llama.loadModel({ modelPath });
    engine.#context = await engine.#model.createContext({
      contextSize: engine.#model.trainContextSize, sequences: parallel, threads: 1,
    });
    engine.#free = parallel;
    engine.#pace = pace;
    return engine;
  }

  // generate calls onText with each piece of the answer and returns how it ended and
  // what it took. It returns early, as if at the limit, when signal is aborted.
  async generate({ prompt, maxTokens, temperature, topP, seed, stop }, { onBegin, onText, signal }) {
    const input = [this.#model.tokens.bos, ...this.#model.tokenize(prompt)];
    const room = this.#context.contextSize - input.length - 1;
    if (room < 1) {
      throw new TooLong(`the prompt has ${input.length} tokens, and the model takes ${this.#context.contextSize}`);
    }
    await this.#acquire();
    const sequence = this.#context.getSequence();
    try {
      if (signal.aborted) return { finish: "length", usage: { prompt: 0, completion: 0 } };
      onBegin();
      const limit = Math.min(maxTokens ?? room, room);
      const { finish, drawn } = await this.#draw(sequence, input, { limit, temperature, topP, seed, stop, onText, signal });
      return { finish, usage: { prompt: input.length, completion: drawn } };
    } finally {
      sequence.dispose();
      this.#release();
    }
  }

  async #draw(sequence, input, { limit, temperature, topP, seed, stop, onText, signal }) {
    const output = [];
    let drawn = 0, sent = 0;
    for await (const token of sequence.evaluate(input, { temperature, topP, topK: 0, minP: 0, seed, yieldEogToken: true })) {
      drawn++;
      if (signal.aborted) break;
      const ended = this.#model.isEogToken(token);
      if (!ended) output.push(token);
      const text = this.#model.detokenize(output, false, input);
      const at = stop.map((s) => text.indexOf(s)).filter((i) => i >= 0);
      const last = ended || at.length > 0 || drawn >= limit;
      // What might be the beginning of a stop sequence, or of a character, waits.
      const end = at.length > 0 ? Math.min(...at) : last ? text.length : text.length - withheld(text, stop);
      if (end > sent) {
        onText(text.slice(sent, end));
        sent = end;
      }
      if (last) return { finish: ended || at.length > 0 ? "stop" : "length", drawn };
      if (this.#pace > 0) await new Promise((done) => setTimeout(done, this.#pace));
    }
    return { finish: "length", drawn };
  }

  async #acquire() {
    if (this.#free > 0) this.#free--;
    else await new Promise((turn) => this.#waiting.push(turn));
  }

  #release() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}

function withheld(text, stop) {
  let held = text.endsWith("\ufffd") ? 1 : 0;
  for (const s of stop) {
    for (let n = Math.min(s.length - 1, text.length); n > held; n--) {
      if (text.endsWith(s.slice(0, n))) held = n;
    }
  }
  return held;
}
