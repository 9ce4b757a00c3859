/** Builds the load generator and the yardstick with the system's C compiler: `node benchmarks/build.ts`. */
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const sources = path.join(import.meta.dirname, 'load');
const output = path.join(import.meta.dirname, 'build');

/** Paths of the built programs. */
export interface Tools {
  readonly mqload: string;
  readonly floor: string;
  /** Whether `mqload` speaks TLS. */
  readonly hasTls: boolean;
}

const mqloadFiles = ['mqload.c', 'mqtt.c', 'options.c', 'report.c', 'storm.c', 'stream.c', 'websocket.c'];

/** Builds what is older than its sources. Gives the reason in a sentence where that is not possible. */
export function buildTools(): Tools | string {
  if (compile(['--version']) !== undefined)
    return 'there is no C compiler (cc); install one, on Debian: apt-get install gcc libc6-dev';
  mkdirSync(output, { recursive: true });
  const floor = path.join(output, 'floor');
  const withTls = path.join(output, 'mqload');
  const withoutTls = path.join(output, 'mqload-without-tls');
  const hasTls = buildOne(withTls, mqloadFiles, ['-DWITH_TLS', '-lssl', '-lcrypto']) === undefined;
  const problem =
    buildOne(floor, ['floor.c'], []) ?? (hasTls ? undefined : buildOne(withoutTls, mqloadFiles, []));
  if (problem !== undefined) return `the load generator does not compile: ${problem}`;
  if (!hasTls) {
    console.error(
      "mqload is built without TLS: OpenSSL's headers are missing (on Debian: apt-get install libssl-dev)",
    );
  }
  return { mqload: hasTls ? withTls : withoutTls, floor, hasTls };
}

function buildOne(target: string, files: readonly string[], options: readonly string[]): string | undefined {
  if (isFresh(target, files)) return undefined;
  const libraries = options.filter((option) => option.startsWith('-l'));
  const defines = options.filter((option) => !option.startsWith('-l'));
  const paths = files.map((file) => path.join(sources, file));
  return compile(['-O2', '-Wall', '-Wextra', ...defines, '-o', target, ...paths, ...libraries]);
}

function isFresh(target: string, files: readonly string[]): boolean {
  const built = statSync(target, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const headers = globSync('*.h', { cwd: sources });
  return [...files, ...headers].every((file) => statSync(path.join(sources, file)).mtimeMs < built);
}

/** Runs the compiler; gives what it complained about, or `undefined` when it did not. */
function compile(args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync('cc', args, { encoding: 'utf8' });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim();
}

if (import.meta.main) {
  const built = buildTools();
  console.log(typeof built === 'string' ? `skipped: ${built}` : `built ${built.mqload} and ${built.floor}`);
  process.exitCode = typeof built === 'string' ? 1 : 0;
}
