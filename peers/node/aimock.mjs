// aimock as it is, told by its control API what to answer, where to fail, and what
// it has seen.
import { LLMock } from "@copilotkit/aimock";
import { announce } from "./life.mjs";

const mock = new LLMock({ host: "127.0.0.1", port: 0, chunkSize: 8, journalMaxEntries: 0, logLevel: "error" });
announce(await mock.start());
