import process from 'node:process';

const interrupt = 0x03;
const endOfInput = 0x04;
const backspaces = new Set([0x08, 0x7f]);
const lineEnds = new Set([0x0a, 0x0d]);

/** Asks for lines that are not shown. From a terminal without echo; from a pipe a line each. */
export class SecretPrompt {
  /** Read, and not asked for yet. */
  #rest: Buffer = Buffer.alloc(0);

  /** `null`: there is no more input. Ends the process as SIGINT does when that is typed. */
  async ask(prompt: string): Promise<string | null> {
    const { stdin } = process;
    const isTerminal = stdin.isTTY;
    // Before the question: whoever answers at once is not to be shown either.
    if (isTerminal) stdin.setRawMode(true);
    process.stderr.write(prompt);
    try {
      return await this.#readLine(isTerminal);
    } finally {
      if (isTerminal) {
        stdin.setRawMode(false);
        process.stderr.write('\n');
      }
      stdin.pause();
    }
  }

  #readLine(isTerminal: boolean): Promise<string | null> {
    const { stdin } = process;
    return new Promise((resolve, reject) => {
      const line: number[] = [];
      const settle = (answer: string | null): void => {
        stdin.off('data', onData);
        stdin.off('end', onEnd);
        stdin.off('error', reject);
        resolve(answer);
      };
      const onEnd = (): void => settle(line.length === 0 ? null : textOf(line));
      const onData = (chunk: Buffer): void => {
        for (const [at, byte] of chunk.entries()) {
          if (isTerminal && byte === interrupt) {
            stdin.setRawMode(false);
            process.kill(process.pid, 'SIGINT');
            return;
          }
          if (lineEnds.has(byte) || (isTerminal && byte === endOfInput)) {
            this.#rest = Buffer.from(chunk.subarray(at + 1));
            settle(textOf(line));
            return;
          }
          if (isTerminal && backspaces.has(byte)) removeLast(line);
          else line.push(byte);
        }
      };
      stdin.on('data', onData);
      stdin.on('end', onEnd);
      stdin.on('error', reject);
      const held = this.#rest;
      this.#rest = Buffer.alloc(0);
      if (held.length > 0) onData(held);
      if (stdin.readableEnded) onEnd();
      else stdin.resume();
    });
  }
}

/** The last character, which may have several bytes of UTF-8. */
function removeLast(line: number[]): void {
  while ((line.at(-1) ?? 0) >> 6 === 0b10) line.pop();
  line.pop();
}

function textOf(line: readonly number[]): string {
  return Buffer.from(line).toString();
}
