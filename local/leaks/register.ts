/** What must be nowhere in clear, and what could hold it, as the processes of a test run tell. */
import { isNoted, note } from "./run_folder.ts";
import { keyLines, SHORTEST } from "./secret_forms.ts";

/** Of each process: what it has told once, it need not tell again. */
const told = new Set<string>();

/** Registers a value that nobody but its holder may see. Shorter ones cannot be searched for. */
export function registerSecret(name: string, value: string): void {
  if (!isNoted() || value.length < SHORTEST || told.has(value)) return;
  told.add(value);
  note("secrets", { name, value });
}

/** Registers a private key (PEM), line by line. */
export function registerKey(name: string, pem: string): void {
  for (const line of keyLines(name, pem)) registerSecret(line.name, line.value);
}

/** Hands over a text that was logged, answered or printed, and that nothing else would keep. */
export function registerText(name: string, text: string): void {
  if (isNoted()) note("texts", { name, text });
}

/** Hands over an answer: status, headers and body. The answer itself can still be read. */
export async function registerAnswer(name: string, response: Response): Promise<void> {
  if (!isNoted()) return;
  try {
    registerText(name, await answerText(response.clone()));
  } catch (cause) {
    // Nobody has received the rest of an answer that was cut off.
    registerText(name, String(cause));
  }
}

/** An answer as a text; reads it. */
export async function answerText(response: Response): Promise<string> {
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`);
  return [response.status, ...headers, await response.text()].join("\n");
}
